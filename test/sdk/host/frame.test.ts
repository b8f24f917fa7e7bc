import fc from "fast-check";
import { Frame } from "../../../sdk/host/frame";

const mark = "0123456789abcdef0123456789abcdef";

function read(text: string, cuts: number[]): Frame {
  const frame = new Frame(mark);
  let from = 0;
  for (const to of [...new Set(cuts)].sort((a, b) => a - b)) {
    frame.push(text.slice(from, to));
    from = to;
  }
  frame.push(text.slice(from));
  return frame;
}

test("however it is cut into pieces, a frame gives back the output and the code", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.integer({ min: 0, max: 255 }),
      fc.array(fc.nat(120)),
      (noise, output, code, cuts) => {
        const text = `${noise}${mark}<${output}${mark}>${code}\n`;
        expect(read(text, cuts).result).toEqual({ text: output, code });
      },
    ),
  );
});

test("a frame without its end has no result", () => {
  const text = `hello\n${mark}<output${mark}>1`;
  for (let length = 0; length <= text.length; length++) expect(read(text.slice(0, length), []).result).toBeUndefined();
});

test("a remote `exit 255` is not a lost connection: the code is in the frame", () => {
  expect(read(`${mark}<${mark}>255\n`, []).result).toEqual({ text: "", code: 255 });
});
