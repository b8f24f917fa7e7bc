import { setTimeout as sleep } from "node:timers/promises";
import { Company } from "../../../sdk/provider/company";

/** Milliseconds from when it begins until it may go on; it is ready after so many. */
const goes = (company: Company, ready: number): Promise<number> =>
  company.during(async (gather) => {
    const began = performance.now();
    await sleep(ready);
    await gather();
    return performance.now() - began;
  });

test("who is alone waits for nobody", async () => {
  const company = new Company();
  expect(await goes(company, 0)).toBeLessThan(50);
  expect(await goes(company, 0)).toBeLessThan(50);
});

test("those at work go on together, as soon as the last is ready", async () => {
  const company = new Company();
  const [one = 0, other = 0] = await Promise.all([goes(company, 0), goes(company, 50)]);
  expect(one).toBeGreaterThan(45);
  expect(Math.abs(one - other)).toBeLessThan(10);
});

test("nobody waits long for who takes long, nor for who fails", async () => {
  const company = new Company();
  const [one = 0] = await Promise.all([goes(company, 0), goes(company, 400)]);
  expect(one).toBeGreaterThan(95);
  expect(one).toBeLessThan(300);
  const failed = expect(company.during(() => Promise.reject(new Error("no host")))).rejects.toThrow("no host");
  expect(await goes(company, 0)).toBeLessThan(50);
  await failed;
});
