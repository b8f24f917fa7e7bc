/** Eight stacks that write one document in a bucket at once, a hundred times each. */
import { openStore } from "../../sdk/truth/store";
import { hindrance } from "../can";
import { Writers } from "../sdk/truth/keys";
import { Minio, use } from "../sdk/truth/minio";
import { writeAtOnce } from "../sdk/truth/writing";
import type { Trial } from "./trial";

async function run(): Promise<string> {
  const lacking = hindrance("minio");
  if (lacking !== undefined) throw new Error(lacking);
  const [minio, keys] = [await Minio.start(), new Writers()];
  try {
    use(minio.root);
    const { kept, of, seconds } = await writeAtOnce(() => openStore(minio.address()), keys, 8, 100);
    if (kept < of) throw new Error(`${of - kept} of ${of} updates are lost`);
    return `${kept} of ${of} kept, ${seconds.toFixed(0)} s`;
  } finally {
    keys.remove();
    await minio.remove();
  }
}

export const writers: Trial = {
  title: "8 writers, 100 updates each, one document in MinIO",
  mustBe: "800 of 800 kept",
  run,
};
