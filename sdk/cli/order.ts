/**
 * Names in the order in which people count, lux-2 before lux-10, and the same everywhere. Capitals stand beside small letters.
 * (Intl.Collator does as much, and takes 8 ms to load its tables.)
 */
export function byName(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (const [index, part] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const difference = index % 2 === 1 ? Number(part) - Number(other) : 0;
    if (difference !== 0) return difference;
    if (part !== other) return part < other ? -1 : 1;
  }
  return left.length - right.length || (a < b ? -1 : Number(a > b));
}

/** Text and numbers in turn, text first. */
const parts = (name: string): string[] => name.toLowerCase().split(/(\d+)/);
