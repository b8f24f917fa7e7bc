/** What every store keeps to. */
import type { Store } from "../../../sdk/truth/store";

/** `open`: one more opening of the same store, as another run of Pulumi has. `name`: a folder of the test's own in it. */
export function keepsToTheContract(open: () => Store, name: () => string): void {
  const key = (file: string) => `${name()}/${file}`;

  test("nothing is there before something is written, and then that", async () => {
    const store = open();
    expect(await store.get(key("a/b/c.json"))).toBeUndefined();
    const text = '{"ü":"line\\n"}\nzwei\n';
    const etag = await store.putIfNone(key("a/b/c.json"), text);
    expect(etag).toEqual(expect.any(String));
    expect(await open().get(key("a/b/c.json"))).toEqual({ text, etag });
    expect(await store.get(key("a/b"))).toBeUndefined();
  });

  test("what is there is not written over by who takes it for absent", async () => {
    const etag = await open().putIfNone(key("once"), "first");
    expect(await open().putIfNone(key("once"), "second")).toBeUndefined();
    expect(await open().get(key("once"))).toEqual({ text: "first", etag });
  });

  test("what is there is written over only by who has seen it", async () => {
    const store = open();
    const first = (await store.putIfNone(key("seen"), "1")) ?? "";
    const second = (await store.putIfMatch(key("seen"), "2", first)) ?? "";
    expect(second).not.toBe("");
    expect(await store.putIfMatch(key("seen"), "3", first)).toBeUndefined();
    expect(await store.get(key("seen"))).toEqual({ text: "2", etag: second });
    expect(await store.putIfMatch(key("absent"), "1", second)).toBeUndefined();
    expect(await store.get(key("absent"))).toBeUndefined();
  });

  test("names with a dot, a space or a slash are names", async () => {
    for (const file of ["hosts/fra/net.prod", "with space", "a+b&c?d#e"]) {
      expect(await open().putIfNone(key(file), file)).toBeDefined();
      expect((await open().get(key(file)))?.text).toBe(file);
    }
  });

  test("three megabytes come back as they were", async () => {
    const text = Array.from(
      { length: 60_000 },
      (_, index) => `a line of a document, number ${index}, and so on\n`,
    ).join("");
    expect(await open().putIfNone(key("large"), text)).toBeDefined();
    expect((await open().get(key("large")))?.text).toBe(text);
  });

  test("of several that write at once with what they have seen, each is kept", async () => {
    const [writers, writes] = [4, 10];
    await open().putIfNone(key("count"), "0");
    const write = async () => {
      const store = open();
      for (let written = 0; written < writes; ) {
        const seen = await store.get(key("count"));
        if (await store.putIfMatch(key("count"), String(Number(seen?.text) + 1), seen?.etag ?? "")) written++;
      }
    };
    await Promise.all(Array.from({ length: writers }, write));
    expect((await open().get(key("count")))?.text).toBe(String(writers * writes));
  });
}
