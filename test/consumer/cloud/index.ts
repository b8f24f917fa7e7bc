/** A cloud as another package has it: nothing of a server or a network is known before it is there. */
import * as pulumi from "@pulumi/pulumi";

/** A machine: `at`, where it will turn out to be. */
export class Server extends pulumi.CustomResource {
  declare readonly address: pulumi.Output<string>;
  declare readonly sshPort: pulumi.Output<number>;
  declare readonly hostKey: pulumi.Output<string>;
  declare readonly gateway: pulumi.Output<string>;

  constructor(name: string, args: { at: string }, options?: pulumi.CustomResourceOptions) {
    const later = { address: undefined, sshPort: undefined, hostKey: undefined, gateway: undefined };
    super("cloud:index:Server", name, { ...args, ...later }, options);
  }
}

/** A network behind servers: `at`, the prefix that it will turn out to have. */
export class Subnet extends pulumi.CustomResource {
  declare readonly cidr: pulumi.Output<string>;
  /** Of all its parts. */
  declare readonly cidrs: pulumi.Output<string[]>;

  constructor(name: string, args: { at: string }, options?: pulumi.CustomResourceOptions) {
    super("cloud:index:Subnet", name, { ...args, cidr: undefined, cidrs: undefined }, options);
  }
}
