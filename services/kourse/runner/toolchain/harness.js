// Runs a script that comes on standard input before the script's own input: eight bytes say how long it is.
const fs = require("fs");
function readExactly(count) {
  const buffer = Buffer.alloc(count);
  for (let at = 0; at < count; ) {
    const got = fs.readSync(0, buffer, at, count - at, null);
    if (got === 0) process.exit(1);
    at += got;
  }
  return buffer;
}
const source = readExactly(Number(readExactly(8).readBigUInt64BE())).toString("utf8");
const Module = require("module");
const main = new Module("main.js", null);
main.filename = "main.js";
main.paths = [];
if (process.argv[1] === "check") {
  try {
    require("vm").compileFunction(source, ["exports", "require", "module"], { filename: "main.js" });
  } catch (error) {
    process.stderr.write(error.stack.split("\n    at ")[0] + "\n");
    process.exit(1);
  }
} else {
  main._compile(source, "main.js");
}
