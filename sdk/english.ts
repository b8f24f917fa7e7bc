/**
 * To be loaded before zod, by processes that are ours alone: zod loads its messages in sixty languages, half the time that it
 * takes to load, and ours are in English, which is apart from them.
 */
import Module from "node:module";

const locales = require.resolve("zod/v4/locales");
const none = new Module(locales);
none.loaded = true;
require.cache[locales] ??= none;
