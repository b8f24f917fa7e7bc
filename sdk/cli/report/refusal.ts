/** What `up` and `destroy` will refuse, though the preview says that it goes. Pure. */
import { allowsAll, mayGo } from "../../allowance";
import { byName, type Side } from "./links";
import type { Message } from "./messages";
import type { Preview } from "./preview";
import { type Resource, STACK } from "./resources";

/** Links that are named. */
const NAMED = 10;

const PROVIDER = "pulumi:providers:overlay";

/** By the stack's configuration, or by a provider of the program's own. */
const isAllowed = ({ config }: Preview, all: readonly Resource[]): boolean =>
  [
    config["overlay:allowDestroy"],
    ...all.map(({ type, after }) => (type === PROVIDER ? after?.inputs.allowDestroy : undefined)),
  ].some(allowsAll);

/** A fifth of the devices, as the provider learns it: of what stays and of what goes. */
const removableIn = (all: readonly Resource[]): number =>
  Math.max(
    0,
    ...all
      .flatMap(({ before, after }) => [before?.inputs.removable, after?.inputs.removable])
      .filter((it) => typeof it === "number"),
  );

/** `sides`: of all links that the preview shows; `hidden`: unchanged resources that it does not show. */
export function refusal(
  preview: Preview,
  all: readonly Resource[],
  sides: readonly Side[],
  hidden: number,
): Message | undefined {
  const leaving = sides.filter(({ resource: { change } }) => change === "gone" || change === "replaced");
  const links = [...new Set(leaving.map(({ name }) => name))].map((name) => ({ name })).sort(byName);
  const going = {
    devices: leaving.length,
    links: links.length,
    removable: removableIn(all),
    someStay: hidden > 0 || sides.some(({ resource: { change } }) => change !== "gone" && change !== "forgotten"),
  };
  if (mayGo(going) || isAllowed(preview, all)) return undefined;
  const command = all.some(({ type, change }) => type === STACK && change === "gone") ? "destroy" : "up";
  const more = links.length > NAMED ? ` and ${links.length - NAMED} more` : "";
  const names = links
    .slice(0, NAMED)
    .map(({ name }) => name)
    .join(", ");
  return {
    text:
      `\`${command}\` will refuse to remove ${going.devices} devices (${names}${more}): more than 20 % of the stack's links go only where ` +
      `that is allowed. Where they are to go: \`OVERLAY_ALLOW_DESTROY=on pulumi ${command}\` for one run, or for every run ` +
      "`pulumi config set overlay:allowDestroy true`, then `pulumi up`. [provider/tooMany]",
  };
}
