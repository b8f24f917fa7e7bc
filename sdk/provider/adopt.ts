/** What is told at preview of a device that somebody made by hand and that is to become ours. */
import { withCode } from "../codes";
import { formatWithCodes } from "../faults";
import { HostError } from "../host";
import { changes, destination, type Fact, kinds, live, queries, ROUTE_PROTOCOL, type Snapshot } from "../kernel";
import { LOSSES, NOT_KNOWN } from "../losses";
import { fixedBits } from "../network/address";
import { parseSpec } from "./inputs";
import { hostFacts, type Operation, results } from "./lifecycle";
import type { ResourceType } from "./registry";
import { warning } from "./safeguard";
import { hasUnknown, isUnknown, type Values } from "./wire";

/** Routes of others by a device that lead to what none of ours does; the kernel's are those of addresses with a prefix. */
function otherRoutes(seen: Snapshot, device: string, wanted: readonly Fact[]): { kernel: string[]; made: string[] } {
  const ours = wanted.flatMap(({ kind, value }) => {
    if (kind === "address") return fixedBits((value as { address: string }).address) ?? [];
    return kind === "route" ? (fixedBits((value as { dst: string }).dst) ?? []) : [];
  });
  const of = (routes: Snapshot["routes4"], family: 4 | 6) =>
    routes
      .filter(({ dev, protocol, table = "main" }) => {
        return dev === device && table === "main" && protocol !== String(ROUTE_PROTOCOL);
      })
      .map(({ dst, protocol }) => ({ dst: destination(dst, family), protocol }))
      .filter(({ dst }) => !ours.some((prefix) => fixedBits(dst)?.startsWith(prefix)));
  const all = [...of(seen.routes4, 4), ...of(seen.routes6, 6)];
  const to = (byKernel: boolean) =>
    all.filter(({ protocol }) => (protocol === "kernel") === byKernel).map(({ dst }) => dst);
  return { kernel: to(true), made: to(false) };
}

/** What goes with what is taken over, or stays as somebody made it until a boot takes it away. */
function lost(seen: Snapshot, device: string, wanted: readonly Fact[]): string[] {
  const { kernel, made } = otherRoutes(seen, device, wanted);
  const cure = "Name in `routes` of the link what is needed of them.";
  const userspace = seen.links.some(({ ifname, linkinfo }) => ifname === device && linkinfo?.info_kind === "tun");
  const quick = seen.quick[device] ?? [];
  return [
    ...(quick.length > 0
      ? [
          `${LOSSES.commandsAtBoot.says}${quick.join(", ")} of /etc/wireguard/${device}.conf did, such as a MASQUERADE rule, for nothing of it is taken over. See to it elsewhere where it is needed; the file stays as ${device}.conf.before-overlay.`,
        ]
      : []),
    ...(kernel.length > 0
      ? [
          `${LOSSES.routesAtOnce.says}${kernel.join(", ")} go, which came with the prefix lengths of the addresses. ${cure}`,
        ]
      : []),
    ...(made.length > 0 ? [`${LOSSES.routesAtBoot.says}${made.join(", ")}. ${cure}`] : []),
    ...(userspace ? ["Until the next boot its wireguard-go runs on where it was started; then one of ours does."] : []),
  ];
}

interface Takeover {
  /** Sentences and commands. */
  told: string[];
  /** Outputs that the host already knows. */
  known: Values;
}

const adopted = (type: ResourceType, { spec, connection }: Values): string | undefined =>
  isUnknown(spec) || hasUnknown(connection) || !type.adopts ? undefined : type.adopts(parseSpec(type, spec));

/** Of a resource that takes over what it did not `before`; of all others nothing, and nobody is asked. */
export async function takeover(
  type: ResourceType,
  ask: () => Operation,
  news: Values,
  before?: Values,
): Promise<Takeover> {
  const device = adopted(type, news);
  if (device === undefined || (before && adopted(type, before) === device)) return { told: [], known: {} };
  const spec = parseSpec(type, news.spec);
  const operation = ask();
  const { machine } = operation;
  const wanted = type.technology.plan(spec);
  try {
    const seen = await machine.look([...queries(wanted), `quick ${device}`], operation);
    const known = results(type, (_, read) => read(seen, spec));
    const there = kinds.link.read(seen, device);
    if (!there) return { told: [`${machine.name} has no ${device} to take over: a new one is made.`], known };
    const is = live(seen, wanted);
    const { commands, foreign, changed } = changes(is, wanted, hostFacts(seen));
    const faults = type.technology.faults?.(spec, seen) ?? [];
    if (foreign.length + faults.length > 0) {
      return { told: [`${machine.name}: ${[...foreign, formatWithCodes(faults)].join(" ")}`], known };
    }
    const told = [`${device} of ${machine.name} is taken over as it is, by these steps:`, ...commands];
    const whole = wanted.some(({ kind }) => kind === "link");
    const stake = await warning(operation, seen, { live: is, changed });
    return { told: whole ? [...told, ...stake, ...lost(seen, device, wanted)] : told, known };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { told: [`What of ${device} is taken over ${NOT_KNOWN}: ${withCode(error)}`], known: {} };
  }
}
