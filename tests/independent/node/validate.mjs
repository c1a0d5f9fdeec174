// Validates an AsyncAPI document with the project's own parser; prints what is wrong, exit 1 if anything is.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const WARNING = 1;
const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
const wrong = diagnostics.filter((one) => one.severity <= WARNING);
for (const one of wrong) console.log(`${one.path.join("/")}: ${one.message}`);
if (wrong.length === 0) console.log(`${document.version()} ${document.allMessages().length} messages`);
process.exit(wrong.length === 0 ? 0 : 1);
