/** A program as a whole: every fault of it is reported, and no host is touched for a program that has one. */
import { marked } from "../sdk/codes";
import { type Fault, formatWithCodes } from "../sdk/faults";
import { constructing } from "../sdk/provider/construct";
import { NO_SECRET } from "../sdk/provider/noSecret";
import * as pulumi from "../sdk/provider/pulumi";
import { eachSecret } from "./input";
import { type Checked, Network } from "./network";
import { type Part, Rollout } from "./rollout";

/** Several programs may run in one process, one after the other or at once: inline programs, tests. */
const programs = new WeakMap<object, Program>();

/** The program that is running. */
export function program(): Program {
  // The plugin has no stack resource: there a program is all that one run of the engine asks for.
  const key = constructing.getStore() ?? pulumi.runtime.getStackResource() ?? programs;
  const running = programs.get(key) ?? new Program();
  programs.set(key, running);
  return running;
}

/** Neither is ever shown by this package. */
const MAY_BE_SECRET = /^(connection\.hostKey$|prepare\b)/;

class Program {
  readonly rollout = new Rollout();
  // The plugin is asked for one component after the other, in whatever order they become known.
  readonly network = new Network(constructing.getStore() === undefined);
  /** Devices that others stand on, as `link lux-fra@lux`. */
  readonly devices = new Map<string, pulumi.Resource>();
  /** Public keys that a link has for itself, as `link lux-fra@lux`. */
  readonly keys = new Map<string, pulumi.Output<string>>();
  private checks: (() => void)[] = [];
  private faults = 0;
  private turn: Promise<true> | undefined;
  private told = false;

  /** What a component declared with these arguments, or undefined when it has faults; they are then reported. */
  sound<T>(component: pulumi.ComponentResource, args: object, checked: Checked<T>): T | undefined {
    const own = "faults" in checked ? checked.faults : [];
    const faults = constructing.getStore() ? [...own, ...this.rollout.elsewhere()] : own;
    if (!constructing.getStore()) {
      this.report(component, faults);
      // Those that are known in this turn; the provider refuses the others.
      eachSecret(args, (path) => {
        if (!MAY_BE_SECRET.test(path)) this.report(component, [{ path, ...NO_SECRET }]);
      });
    } else refuse(faults);
    return "value" in checked ? checked.value : undefined;
  }

  /** Has faults looked for that can only be seen when the program has declared all that it declares at once. */
  whenWhole(component: pulumi.ComponentResource, faults: () => Fault[]): void {
    if (constructing.getStore()) refuse(faults());
    else this.checks.push(() => this.report(component, faults()));
    void this.declared();
  }

  private report(component: pulumi.ComponentResource, faults: Fault[]): void {
    if (faults.length === 0) return;
    this.note(faults, component);
    void this.declared();
  }

  private note(faults: Fault[], component?: pulumi.ComponentResource): void {
    this.faults += faults.length;
    for (const fault of faults) void pulumi.log.error(formatWithCodes([fault]), component);
  }

  /** A value, when the program has declared all that it declares at once; none when anything of that has faults. */
  whenDeclared<T>(compute: () => T): pulumi.Output<pulumi.Unwrap<T>> {
    return pulumi.output(this.declared()).apply(compute) as pulumi.Output<pulumi.Unwrap<T>>;
  }

  /** Makes a part of a node. `inTurn` of what it is given keeps a value back until the stages before are done. */
  inTurn<R extends pulumi.Resource>(part: Part, node: string, make: (inTurn: <T>(value: T) => Promise<T>) => R): R {
    const turn = this.declared().then(() => this.rollout.turn(part, node));
    const made = make((value) => turn.then(() => value));
    this.rollout.add(part, node, made);
    return made;
  }

  /**
   * What a node's device comes after where nothing may pass to the other without a key of theirs: with no key pair it would stand
   * open for as long as that is missing. To be asked when all is declared.
   */
  keyBefore(node: string, others: readonly string[]): pulumi.Resource[] {
    const key = this.devices.get(`rosenpass@${node}`);
    return key && others.some((other) => this.network.isStrict(node, other)) ? [key] : [];
  }

  /** What the provider is told of the stack beside each of a node's resources. */
  ofStack(node: string): { removable: pulumi.Output<number>; canary?: true } {
    const removable = this.whenDeclared(() => this.network.removable);
    return { removable, ...(this.rollout.isCanary(node) && { canary: true }) };
  }

  private tell(): true {
    const order = this.told ? undefined : this.rollout.told();
    this.told = true;
    if (order && pulumi.runtime.isDryRun()) void pulumi.log.info(order);
    return true;
  }

  /** Resolves when the program has run to its end, or to where it waits for something. */
  private declared(): Promise<true> {
    this.turn ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        for (const check of this.checks.splice(0)) check();
        this.turn = undefined;
        this.note(this.rollout.faults());
        if (this.faults === 0) return resolve(this.tell());
        const error = new pulumi.RunError(
          marked("input/faults", `${counted(this.faults, "fault")}; no host was touched`),
        );
        // Thrown, it ends the run of `pulumi` in one line. Where the process lives on, as with inline programs, what
        // waits here has to end too.
        setTimeout(() => reject(error), 1_000).unref();
        throw error;
      });
    });
    return this.turn;
  }
}

/** For the plugin's caller. No property is named: the engine would print its value, whatever it is. */
function refuse(faults: Fault[]): void {
  if (faults.length > 0) throw new pulumi.InputPropertiesError({ message: formatWithCodes(faults), errors: [] });
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
