/** The S3 store against MinIO: the same contract as a folder, and credentials that do not do. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../../sdk/truth/store";
import { describeWhere } from "../../can";
import { keepsToTheContract } from "./contract";
import { Writers } from "./keys";
import { Minio, use } from "./minio";
import { writeAtOnce } from "./writing";

describeWhere("minio", "a bucket", () => {
  let minio: Minio;
  beforeAll(async () => {
    minio = await Minio.start();
  });
  afterAll(() => minio.remove());
  beforeEach(() => use(minio.root));

  keepsToTheContract(
    () => openStore(minio.address("contract")),
    () => "prod",
  );

  test("four stacks that write one document at once lose nothing", async () => {
    const writers = new Writers();
    try {
      const { kept, of } = await writeAtOnce(() => openStore(minio.address("busy")), writers, 4, 10);
      expect(`${kept} of ${of}`).toBe("40 of 40");
    } finally {
      writers.remove();
    }
  });

  test("a bucket that is not there is no bucket without documents", async () => {
    const store = openStore(minio.address("", "nobody"));
    await expect(store.get("prod/document.json")).rejects.toThrow(
      /nobody: there is no such bucket. Make it, or correct/,
    );
    await expect(store.putIfNone("prod/document.json", "1")).rejects.toThrow(/there is no such bucket/);
  });

  test("a reader's token reads, and is told that it may not write", async () => {
    await openStore(minio.address()).putIfNone("read/document.json", "1");
    use(await minio.token("s3:GetObject", "s3:ListBucket"));
    const store = openStore(minio.address());
    const seen = await store.get("read/document.json");
    expect(seen?.text).toBe("1");
    const said =
      /read\/?.*|cannot be written with these credentials: 403 \(AccessDenied\)\. Look whether the token still exists and may do that: a reader's may not write\./;
    await expect(store.putIfMatch("read/document.json", "2", seen?.etag ?? "")).rejects.toThrow(said);
    await expect(store.putIfNone("read/other.json", "2")).rejects.toThrow(
      /cannot be written with these credentials: 403/,
    );
    use(minio.root);
    expect((await openStore(minio.address()).get("read/document.json"))?.text).toBe("1");
  });

  test("a profile of the AWS tools serves, too, and where there is nothing it says what to set", async () => {
    const folder = mkdtempSync(join(tmpdir(), "overlay-aws-"));
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = process.env;
    try {
      delete process.env.AWS_ACCESS_KEY_ID;
      delete process.env.AWS_SECRET_ACCESS_KEY;
      process.env.AWS_SHARED_CREDENTIALS_FILE = join(folder, "credentials");
      expect(() => openStore(minio.address())).toThrow(
        /set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write a profile default into/,
      );
      writeFileSync(
        join(folder, "credentials"),
        `[other]\naws_access_key_id = x\n\n[r2]\naws_access_key_id = ${id}\naws_secret_access_key=${secret}\n`,
      );
      expect(await openStore(`${minio.address()}&profile=r2`).putIfNone("profile", "1")).toBeDefined();
      expect(() => openStore(`${minio.address()}&profile=other`)).toThrow(/profile other into/);
    } finally {
      delete process.env.AWS_SHARED_CREDENTIALS_FILE;
      rmSync(folder, { recursive: true });
    }
  });

  test("a token that was revoked is told from a bucket without documents, and is in no message", async () => {
    const before = minio.root;
    await minio.restart({ accessKeyId: "another-root", secretAccessKey: "another-root-secret" });
    use(before);
    const error = await openStore(minio.address())
      .get("prod/document.json")
      .catch((it: Error) => it);
    expect(String(error)).toMatch(
      /cannot be read with these credentials: 403 \(InvalidAccessKeyId\)\. Look whether the token still exists/,
    );
    expect(String(error)).not.toContain(before.secretAccessKey);
  });
});
