/** The text format of Prometheus, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ */
import { HEALTHY } from "../../rosenpass";
import type { HostStatus, Member, Row, Status } from "./rows";

interface Metric {
  name: string;
  type: "gauge" | "counter";
  help: string;
  samples: { labels: Record<string, string>; value: number }[];
}

const label = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function text({ name, type, help, samples }: Metric): string[] {
  if (samples.length === 0) return [];
  const lines = samples.map(({ labels, value }) => {
    const all = Object.entries(labels).map(([key, value]) => `${key}="${label(value)}"`);
    return `${name}{${all.join(",")}} ${value}`;
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}

/** With a newline at its end. */
export function prometheus({ stack, hosts }: Status): string {
  const labelsOf = (host: HostStatus, { kind, link, device, peer = "", by = "" }: Row) => {
    return { stack, host: host.name, kind, link, device, peer, by };
  };
  const reached = ({ state }: Member): number[] => (state === "unknown" ? [] : [Number(state === "up")]);
  const ofHosts = (value: (host: HostStatus) => number | undefined): Metric["samples"] =>
    hosts.flatMap((host) => {
      const it = value(host);
      return it === undefined ? [] : [{ labels: { stack, host: host.name }, value: it }];
    });
  const ofRows = (value: (row: Row) => number | undefined, more: (row: Row) => Record<string, string> = () => ({})) =>
    hosts.flatMap((host) =>
      host.rows.flatMap((row) => {
        const it = value(row);
        return it === undefined ? [] : [{ labels: { ...labelsOf(host, row), ...more(row) }, value: it }];
      }),
    );
  const metrics: Metric[] = [
    {
      name: "overlay_host_reachable",
      type: "gauge",
      help: "Whether the host could be looked at over SSH.",
      samples: ofHosts(({ reachable }) => Number(reachable)),
    },
    {
      name: "overlay_host_drift_lines",
      type: "gauge",
      help: "Lines of the kernel that are not as declared.",
      samples: ofHosts(({ reachable, drift }) => (reachable ? drift.length : undefined)),
    },
    {
      name: "overlay_link_up",
      type: "gauge",
      help: "Whether there is a session with the peer; of a relay, whether packets go by it; of a segment, whether its device is up, with all entries.",
      samples: ofRows(({ state }) => Number(state === "up")),
    },
    {
      name: "overlay_link_last_handshake_timestamp_seconds",
      type: "gauge",
      help: "When the last handshake with the peer was, as Unix time by the host's clock.",
      samples: ofRows(({ handshakeAt }) => handshakeAt),
    },
    {
      name: "overlay_link_receive_bytes_total",
      type: "counter",
      help: "Bytes received from the peer.",
      samples: ofRows(({ rx }) => rx),
    },
    {
      name: "overlay_link_transmit_bytes_total",
      type: "counter",
      help: "Bytes sent to the peer.",
      samples: ofRows(({ tx }) => tx),
    },
    {
      name: "overlay_link_mtu_bytes",
      type: "gauge",
      help: "MTU as declared.",
      samples: ofRows(({ mtu }) => mtu.declared),
    },
    {
      name: "overlay_link_path_mtu_bytes",
      type: "gauge",
      help: "Bytes that pass in one piece: as --measure has found, else where a run of Pulumi has found less than is declared.",
      samples: ofRows(({ mtu }) => mtu.path),
    },
    {
      name: "overlay_link_post_quantum_healthy",
      type: "gauge",
      help: "Whether post-quantum keys are exchanged as they should be; absent where none are.",
      samples: ofRows(
        ({ postQuantum }) => postQuantum && Number(postQuantum.health === HEALTHY),
        ({ postQuantum }) => ({ mode: postQuantum?.mode ?? "" }),
      ),
    },
    {
      name: "overlay_segment_member_reached",
      type: "gauge",
      help: "Whether a member has the entries of another, and a session that leads there; absent where nothing tells.",
      samples: hosts.flatMap((host) =>
        host.rows.flatMap(({ link, device, members = [] }) =>
          members.flatMap((member) =>
            reached(member).map((value) => {
              return { labels: { stack, host: host.name, link, device, peer: member.name }, value };
            }),
          ),
        ),
      ),
    },
    {
      name: "overlay_guard_packets_total",
      type: "counter",
      help: "Encrypted packets that were about to leave by a tunnel, and were dropped; without a device, from ports that are no link's.",
      samples: hosts.flatMap(({ name, guards }) =>
        guards.map(({ device = "", packets }) => ({ labels: { stack, host: name, device }, value: packets })),
      ),
    },
    {
      name: "overlay_link_last_decision_timestamp_seconds",
      type: "gauge",
      help: "When the host last chose another endpoint, or another way by a relay to a destination, as Unix time by its clock.",
      samples: hosts.flatMap(({ name, decisions }) =>
        decisions.map(({ peer, device, relay, at }) => {
          return { labels: { stack, host: name, device, peer, destination: relay?.to ?? "" }, value: at };
        }),
      ),
    },
    {
      name: "overlay_link_endpoint_info",
      type: "gauge",
      help: "Where packets to the peer go, and why there: one of six reasons.",
      samples: ofRows(
        ({ endpoint }) => (endpoint === undefined ? undefined : 1),
        ({ endpoint = "", why = "" }) => ({ endpoint, why }),
      ),
    },
  ];
  return [...metrics.flatMap(text), ""].join("\n");
}
