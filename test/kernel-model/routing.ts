/** Routes and rules of the model, as ip-route(8) and ip-rule(8) leave them. */
import { isDeepStrictEqual } from "node:util";
import type { RouteJson, RuleJson } from "../../sdk/kernel/snapshot";
import { bits, type Family, family } from "../../sdk/network/address";
import { isV6, options, type Refuse } from "./words";

/** What routes need of devices. */
interface Usable {
  /** Whether a device takes routes of a family. */
  routes(device: string, family: Family): boolean;
  /** Whether an address is any device's. */
  has(address: string): boolean;
}

export class RoutingModel {
  routes: RouteJson[] = [];
  readonly rules = { inet: [] as RuleJson[], inet6: [] as RuleJson[] };

  route(words: string[], usable: Usable, refuse: Refuse): void {
    const [verb, first = "", ...others] = words;
    const unreachable = first === "unreachable";
    const [dst = "", ...all] = unreachable ? others : [first, ...others];
    const into = all.indexOf("encap");
    const [rest, encap] = into < 0 ? [all, undefined] : [all.slice(0, into), options(all.slice(into + 2))];
    const set = options(rest.filter((word) => word !== "onlink"));
    const [device, src] = [set.get("dev"), set.get("src")];
    if (device !== undefined && !usable.routes(device, family(dst))) refuse();
    if (src !== undefined && !usable.has(src)) refuse();
    const json: RouteJson = {
      type: unreachable ? "unreachable" : "unicast",
      dst: dst.endsWith(`/${bits(family(dst))}`) ? (dst.split("/")[0] ?? "") : dst,
      ...(device !== undefined ? { dev: device } : isV6(dst) && { dev: "lo" }),
      table: set.get("table") ?? "main",
      protocol: set.get("proto") ?? "boot",
      metric: Number(set.get("metric") ?? 0),
      ...(src !== undefined && { prefsrc: src }),
      ...(set.has("via") && { gateway: set.get("via") }),
      ...(encap && {
        encap: {
          encap_type: all[into + 1] ?? "",
          id: Number(encap.get("id")),
          src: encap.get("src") ?? "",
          dst: encap.get("dst") ?? "",
          ...(all[into + 1] === "ip"
            ? { ttl: Number(encap.get("ttl") ?? 0) }
            : { hoplimit: Number(encap.get("hoplimit") ?? 0) }),
        },
      }),
      ...(set.has("mtu") && { metrics: [{ mtu: Number(set.get("mtu")) }] }),
    };
    // What is there twice is refused on any device; what is deleted is asked for on this one.
    const same = (other: RouteJson): boolean =>
      other.dst === json.dst &&
      other.table === json.table &&
      other.metric === json.metric &&
      (verb !== "del" || other.dev === json.dev);
    const there = this.routes.filter(same);
    if (verb === "replace" && there.length > 0) {
      // The first makes way, unless one of them is this already (net/ipv4/fib_trie.c, fib_table_insert).
      if (there.some((other) => isDeepStrictEqual(other, json))) return;
      this.routes = this.routes.map((other) => (other === there[0] ? json : other));
      return;
    }
    // One of ours stands behind that of another device of ours: agents/batches.sh, still_held.
    const behind = [json, ...there].every(({ dev, protocol }) => dev !== undefined && protocol === "111");
    if (verb === "add" && behind && there.length > 0 && there.every(({ dev }) => dev !== json.dev)) {
      this.routes.push(json);
      return;
    }
    if ((verb === "add" && there.length > 0) || (verb === "del" && there.length === 0)) refuse();
    this.routes = this.routes.filter((other) => !same(other));
    if (verb !== "del") this.routes.push(json);
  }

  /** A device is gone or down, or has nothing of a family any more. */
  lose(device: string, only?: Family): void {
    this.routes = this.routes.filter(({ dev, dst }) => dev !== device || (only !== undefined && family(dst) !== only));
  }

  /**
   * Nobody has this address any more: IPv4 routes of the main table that prefer it go (net/ipv4/fib_semantics.c,
   * fib_sync_down_addr), IPv6 routes of all tables forget it. Seen on 6.18.
   */
  loseSource(address: string): void {
    this.routes = this.routes.flatMap(({ prefsrc, ...route }) => {
      if (prefsrc !== address) return [{ ...route, ...(prefsrc !== undefined && { prefsrc }) }];
      if (isV6(address)) return [route];
      return route.table === "main" ? [] : [{ ...route, prefsrc }];
    });
  }

  rule(rules: "inet" | "inet6", words: string[], refuse: Refuse): void {
    const [verb, ...rest] = words;
    const set = options(rest.filter((word) => word !== "not"));
    const priority = Number(set.get("pref"));
    const [fwmark = "", fwmask] = (set.get("fwmark") ?? "").split("/");
    if (verb === "del") {
      // Only what is said is compared (net/core/fib_rules.c, rule_find).
      const index = this.rules[rules].findIndex(
        (rule) =>
          rule.priority === priority &&
          (!set.has("sport") || rule.sport === Number(set.get("sport"))) &&
          (fwmark === "" || (rule.fwmark === fwmark && rule.fwmask === fwmask)) &&
          (!set.has("lookup") || rule.table === set.get("lookup")),
      );
      if (index < 0) refuse();
      this.rules[rules].splice(index, 1);
      return;
    }
    const added: RuleJson = {
      priority,
      ...(rest.includes("not") && { not: null }),
      src: "all",
      ...(fwmark !== "" && { fwmark }),
      ...(fwmask !== undefined && { fwmask }),
      ...(set.has("sport") && { sport: Number(set.get("sport")) }),
      table: set.get("lookup") ?? "",
      ...(set.has("suppress_prefixlength") && { suppress_prefixlen: Number(set.get("suppress_prefixlength")) }),
    };
    if (this.rules[rules].some((rule) => JSON.stringify(rule) === JSON.stringify(added))) refuse();
    this.rules[rules].push(added);
  }
}
