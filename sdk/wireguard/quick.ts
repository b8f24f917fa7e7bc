/** What stands in a wg-quick(8) file of ours in place of the private key, which only its machine has. */

export const missingKey = (name: string): string => `PrivateKey = <the private key of ${name}>`;

/** The file, whole; undefined where it is none of ours, or has a key already. */
export function withPrivateKey(file: string, name: string, privateKey: string): string | undefined {
  const lines = file.split("\n");
  const at = lines.indexOf(missingKey(name));
  return at < 0 ? undefined : lines.with(at, `PrivateKey = ${privateKey}`).join("\n");
}
