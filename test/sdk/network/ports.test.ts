import { listenPort, MAX_ID } from "../../../sdk/network/ports";

test("a port is the base and the peer's id, and stays so whoever else is added", () => {
  expect(listenPort(1)).toBe(11001);
  expect(listenPort(7, { base: 20000 })).toBe(20007);
  expect(listenPort(MAX_ID)).toBe(65535);
});

test("a node with few ports gives them by the peer's id", () => {
  const pool = [500, 4500, 51820];
  expect([1, 2, 3, 4].map((id) => listenPort(id, { pool }))).toEqual([4500, 51820, 500, 4500]);
});
