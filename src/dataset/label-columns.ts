// What is known of a flow's label -> the columns of its row. What whoever made the traffic says wins over names.

import type { DatasetRow } from './dataset-schema.ts';
import type { Sessions } from './sessions.ts';
import type { SidecarLabel } from './sidecar.ts';

type LabelColumns = Pick<
  DatasetRow,
  | 'service'
  | 'application'
  | 'labelSource'
  | 'scenario'
  | 'seed'
  | 'clientSoftware'
  | 'serverSoftware'
  | 'profile'
>;

export function labelColumns(
  acted: SidecarLabel | undefined,
  { label, source }: Sessions['flows'][number],
): LabelColumns {
  const none = {
    scenario: null,
    seed: null,
    clientSoftware: null,
    serverSoftware: null,
    profile: null,
  };
  if (acted === undefined) {
    const byName = label?.by === 'category' ? 'category' : 'name';
    return {
      ...none,
      service: label?.service ?? null,
      application: label?.application ?? null,
      labelSource: label === undefined ? null : source === 'session' ? 'session' : byName,
    };
  }
  return {
    service: acted.service,
    application: acted.application ?? null,
    labelSource: 'acted',
    scenario: acted.scenario ?? null,
    seed: acted.seed ?? null,
    clientSoftware: acted.clientSoftware ?? acted.clientProfile ?? null,
    serverSoftware: acted.serverSoftware ?? null,
    profile: acted.profile ?? null,
  };
}
