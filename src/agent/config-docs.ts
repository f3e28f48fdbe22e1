// The configuration's schema -> docs/agent-config.md and a JSON Schema for editors.

import { z } from 'zod';
import { configSchema } from './config-schema.ts';
import { configWords, type KeyWords } from './config-words.ts';
import { yamlOf } from './print-config.ts';

/** JSON Schema, draft 2020-12, of the file. */
export function configSchemaJson(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(configSchema, { io: 'input' });
  return {
    $schema,
    title: 'Sluice agent',
    description: 'Configuration of the agent, one YAML file.',
    ...rest,
  };
}

const HEAD = `# Configure the agent

<!-- Made by \`npm run -s docs\` from src/agent/config-schema.ts: change it there. -->

One YAML file. Every key has a default; what is given on the command line goes before the file. A short one:

\`\`\`yaml
interface: eth0
site: paris-1
report:
  controller: https://sluice.example.net
  tokenFile: /etc/sluice/token
\`\`\`

- A fault ends the agent with exit code 2 before it has opened anything. All faults are told, one a line, with file and line:
  \`agent.yaml:7: unknown key "decison", did you mean "decision"?\`
- Relative paths are from the file's directory, those of the command line from the working directory.
- \`--print-config\` prints the configuration in effect with these words as comments, and without the token. It can be taken
  as a file again.
- The token comes from one of \`token\`, \`tokenFile\` and the environment variable that \`tokenEnv\` names, in this order.
  A controller needs a token and a \`site\`, and https unless it is this machine.
- \`decision.afterMs\` is at most \`flows.activeTimeoutMs\`, \`classify.queueFlows\` at least \`classify.batchFlows\`.
`;

/** The whole page. */
export function configPage(): string {
  const sections = configWords().map(({ name, meaning, keys }) =>
    [
      name === undefined ? '## Keys at the top' : `## \`${name}\``,
      name === undefined ? [] : ['', meaning],
      '',
      '| key | unit | default | meaning |',
      '| --- | --- | --- | --- |',
      keys.map(tableRow),
    ]
      .flat()
      .join('\n'),
  );
  return `${[HEAD.trimEnd(), ...sections].join('\n\n')}\n`;
}

function tableRow({ name, meaning, fallback }: KeyWords): string {
  const usual = 'words' in fallback ? fallback.words : `\`${yamlOf(fallback.value)}\``;
  const cells = [`\`${name}\``, unitOf(name), usual, meaning];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** Keys end in their unit. */
function unitOf(name: string): string {
  return /(?:ms|bytes|flows|blocks|packets|rings)$/i.exec(name)?.[0].toLowerCase() ?? '';
}
