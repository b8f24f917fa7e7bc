/** What is broken on a host before it reboots, as commands, and how each is mended. */
export interface Plant {
  plant: string;
  mend: string;
}

/** `how`: what is done to the boot files, of which a copy is kept. */
export const inBootFiles = (how: string): Plant => ({
  plant: `cp -a /etc/overlay/boot.d /root && ${how}`,
  mend: "rm -r /etc/overlay/boot.d && mv /root/boot.d /etc/overlay/boot.d",
});

export const NOT_UNDERSTOOD = inBootFiles("sed -i '1a ip link add dev' /etc/overlay/boot.d/10-node");

const NETWORK = "/etc/systemd/network/10-eth0.network";

/** Of lux in topology `lab`: its IPv4 is to come from a server that is not there. */
export const NO_DHCP: Plant = {
  plant: `cp ${NETWORK} /root && sed -i -e '/203.0.113/d' -e 's/^\\[Network\\]/&\\nDHCP=ipv4/' ${NETWORK}`,
  mend: `mv /root/10-eth0.network ${NETWORK}`,
};

/** While the host boots, after our early unit. */
export function atBoot(command: string): Plant {
  const lines = ["[Unit]", "After=overlay-early.service systemd-networkd.service", "[Service]", "Type=oneshot"];
  const text = [...lines, `ExecStart=${command}`, "[Install]", "WantedBy=multi-user.target", ""].join("\\n");
  return {
    plant: `printf '${text}' >/etc/systemd/system/fault.service && systemctl -q enable fault`,
    mend: "systemctl -q disable fault && rm /etc/systemd/system/fault.service",
  };
}
