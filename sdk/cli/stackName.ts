/** The name of a stack, as --stack takes it. */
import { ToolError } from "./error";

/** NAME, ORGANIZATION/NAME or ORGANIZATION/PROJECT/NAME, as `pulumi stack select` takes it. */
export function partsOf(named: string): { stack: string; project?: string } {
  const all = named.split("/");
  const [project] = all.length === 3 ? all.slice(1) : [];
  return { stack: all.at(-1) ?? "", ...(project !== undefined && { project }) };
}

/** `found`: PROJECT/STACK. Throws an Error where it is another than was asked for. */
export function mustBe(what: "preview" | "state", named: string, found: string): void {
  if (found === "") return;
  const { stack, project } = partsOf(named);
  const [foundProject = "", ...rest] = found.split("/");
  if (rest.join("/") === stack && (project === undefined || project === foundProject)) return;
  throw new ToolError("cli/option", `the ${what} is of the stack ${found}, and --stack says ${named}: name the same`);
}
