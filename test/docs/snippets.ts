/** A fenced block of a documentation page. */
export interface Snippet {
  readonly page: string;
  readonly language: string;
  readonly code: string;
  /** Line of the page on which the code begins, from 1. */
  readonly line: number;
  /** Name given by `<!-- setup: name -->`. */
  readonly setup: string | undefined;
  /** Name given by `<!-- file: name -->`: the block is a file of its scenario, which other blocks run. */
  readonly file: string | undefined;
}

/** Snippets that run one after another in one folder. */
export interface Scenario {
  /** A sentence naming the page, the heading and the block. */
  readonly title: string;
  readonly setup: string | undefined;
  readonly snippets: readonly Snippet[];
}

const FENCE = /^(\s*)(`{3,}|~{3,})\s*([\w-]*)/;
const HEADING = /^#{1,6}\s+(.*)$/;
const SETUP = /^<!--\s*setup:\s*([\w-]+)\s*-->$/;
const SAME_FOLDER = /^<!--\s*same folder(,.*)?\s*-->$/;
const FILE = /^<!--\s*(?:same folder,\s*)?file:\s*([\w.-]+)\s*-->$/;

/** Cuts a page into scenarios: each fenced block is one, and a block marked `<!-- same folder -->` joins the one before it. */
export function readScenarios(page: string, markdown: string): Scenario[] {
  const scenarios: { title: string; setup: string | undefined; snippets: Snippet[] }[] = [];
  const lines = markdown.split(/\r?\n/);
  let heading = "the beginning";
  let block = 0;
  let marker = "";
  for (let index = 0; index < lines.length; index += 1) {
    const line = (lines[index] ?? "").trimEnd();
    const [, indent = "", fence, language = ""] = FENCE.exec(line) ?? [];
    if (fence === undefined) {
      const found = HEADING.exec(line)?.[1];
      if (found !== undefined) {
        heading = found;
        block = 0;
      }
      marker = line === "" ? marker : line;
      continue;
    }
    const end = lines.findIndex((other, at) => at > index && other.trim() === fence);
    if (end < 0) {
      throw new Error(`${page}:${index + 1}: the block is not closed`);
    }
    block += 1;
    const setup = SETUP.exec(marker)?.[1];
    const content = lines
      .slice(index + 1, end)
      .map((text) => (text.startsWith(indent) ? text.slice(indent.length) : text));
    const snippet = { page, language, code: content.join("\n"), line: index + 2, setup, file: FILE.exec(marker)?.[1] };
    const previous = scenarios.at(-1);
    if (SAME_FOLDER.test(marker)) {
      if (previous === undefined) {
        throw new Error(`${page}:${index + 1}: there is no block before this one whose folder it could share`);
      }
      previous.snippets.push(snippet);
    } else {
      scenarios.push({ title: `${page}, "${heading}", block ${block}`, setup, snippets: [snippet] });
    }
    marker = "";
    index = end;
  }
  return scenarios;
}

/** The commands of a `sh` block that call npystream, or Python with a file of the page, with continued lines joined. */
export function runnableCommands(code: string): string[] {
  return code
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.trim().replace(/^(\$ )?(npx )?/, ""))
    .filter((line) => /^(npystream|python3) /.test(line));
}

/** The code at the lines it has on its page, so that messages name the right line. */
export function atPageLines(snippet: Snippet): string {
  return `${"\n".repeat(snippet.line - 1)}${snippet.code}\n`;
}
