/**
 * To be loaded before zod, which loads its messages in sixty languages, half of the time that it takes: with this it does so
 * when somebody looks at `z.locales`. The English ones, which are its default, are apart from them.
 */
import Module from "node:module";

const path = require.resolve("zod/v4/locales");

/** Filled at the first look at it; that it is a module is no such look. */
function fill(locales: object): object {
  if (require.cache[path] === later) {
    delete require.cache[path];
    Object.assign(locales, require(path));
  }
  return locales;
}

const later = new Module(path);
later.loaded = true;
later.exports = new Proxy(
  { __esModule: true },
  {
    get: (locales, name) => Reflect.get(name === "__esModule" ? locales : fill(locales), name),
    has: (locales, name) => Reflect.has(fill(locales), name),
    ownKeys: (locales) => Reflect.ownKeys(fill(locales)),
    getOwnPropertyDescriptor: (locales, name) => Reflect.getOwnPropertyDescriptor(fill(locales), name),
  },
);
require.cache[path] ??= later;
