import { samplePassword } from './sample-people.ts';

/** Things of one workspace that paths name. Made anew for each request that may use them up. */
export interface SampleTargets {
  readonly key: number;
  readonly alert: number;
  readonly ticket: number;
  readonly workspace: string;
  /** Id of an image of a registry. */
  readonly image: string;
  /** Id of a registry. */
  readonly registry: string;
  /** Name of an MCP server behind the gate. */
  readonly server: string;
  /** Number of a person in it. */
  readonly user: number;
  /** An address that nobody has. */
  readonly email: string;
  /** Id of an open invitation to it. */
  readonly invitation: string;
  /** Good for whoever asks to take a place elsewhere. */
  readonly invitationToken: string;
  /** Id of one of the asking person. */
  readonly session: string;
  /** Id of one that the asking person let in. */
  readonly program: string;
  readonly sandbox: string;
  readonly process: string;
  readonly snapshot: string;
  readonly volume: string;
}

/** What there is not. */
export const absentTargets: SampleTargets = {
  key: 999_999,
  alert: 999_999,
  ticket: 999_999,
  workspace: 'mine',
  image: '0'.repeat(24),
  registry: '0'.repeat(24),
  server: 'absent',
  user: 999_999,
  email: 'absent@example.com',
  invitation: 'f'.repeat(24),
  invitationToken: `invite_${'f'.repeat(40)}`,
  session: 'f'.repeat(24),
  program: 'f'.repeat(24),
  sandbox: 'f'.repeat(24),
  process: 'f'.repeat(24),
  snapshot: 'f'.repeat(24),
  volume: 'f'.repeat(24),
};

/** A request that a route takes. Ids of what belongs to sandboxes are in its path by their names. */
export interface RouteSample {
  /** The value of `{id}`. */
  readonly id?: number;
  /** The value of `{workspace}`. */
  readonly workspace?: string;
  readonly port?: number;
  /** What is behind a port. */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

let names = 0;
/** Of what may not be there twice. */
export function nextName(): string {
  names += 1;
  return `sample-${names}`;
}

/** By operation id, for every route of the OpenAPI document. */
export const routeSamples: Readonly<Record<string, (targets: SampleTargets) => RouteSample>> = {
  createApiKey: () => ({ body: { name: 'sample', scopes: ['key:manage'] } }),
  listApiKeys: () => ({ query: { size: '100' } }),
  getApiKey: ({ key }) => ({ id: key }),
  updateApiKey: ({ key }) => ({ id: key, body: { description: 'changed' } }),
  deleteApiKey: ({ key }) => ({ id: key }),
  rotateApiKey: ({ key }) => ({ id: key, body: {} }),
  revokeApiKey: ({ key }) => ({ id: key }),
  enableApiKey: ({ key }) => ({ id: key }),
  disableApiKey: ({ key }) => ({ id: key }),
  createChildApiKey: ({ key }) => ({
    id: key,
    body: { name: 'sample child', scopes: ['key:manage'] },
  }),
  showMe: () => ({}),
  // Refused: what these take is good once, and their answers are never the same.
  logIn: ({ email }) => ({ body: { email, password: 'wrong' } }),
  refreshSession: () => ({}),
  logOut: () => ({}),
  exchangeCode: () => ({ body: { code: 'code_of_nobody' } }),
  setUp: ({ email }) => ({ body: { token: 'setup_wrong', email, password: samplePassword } }),
  acceptInvitation: () => ({ body: { token: 'invite_wrong', password: samplePassword } }),
  showSignInOptions: () => ({}),
  updateMe: () => ({ body: { name: 'Sample' } }),
  changePassword: () => ({
    body: { old_password: samplePassword, new_password: samplePassword },
  }),
  listSessions: () => ({}),
  endSession: () => ({}),
  endSessions: () => ({}),
  verifyKey: () => ({}),
  listUsage: () => ({ query: { size: '1000' } }),
  summarizeUsage: () => ({ query: { by: 'day' } }),
  dashboardStats: () => ({}),
  listAudit: () => ({ query: { size: '10' } }),
  listAlerts: () => ({ query: { size: '100' } }),
  listAlertHistory: () => ({ query: { size: '100' } }),
  listWebhookDeliveries: () => ({ query: { size: '100' } }),
  getAlertSettings: () => ({}),
  changeAlertSettings: () => ({ body: { disabled_types: ['idle_key'] } }),
  getAlert: ({ alert }) => ({ id: alert }),
  updateAlert: ({ alert }) => ({ id: alert, body: { status: 'acknowledged' } }),
  acknowledgeAlert: ({ alert }) => ({ id: alert }),
  listTickets: () => ({ query: { size: '100' } }),
  openTicket: () => ({ body: { subject: 'sample' } }),
  getTicket: ({ ticket }) => ({ id: ticket }),
  updateTicket: ({ ticket }) => ({ id: ticket, body: { status: 'in_progress' } }),
  commentOnTicket: ({ ticket }) => ({ id: ticket, body: { text: 'sample' } }),
  listPlans: () => ({}),
  changePlan: ({ workspace }) => ({ workspace, body: { plan: 'small' } }),
  listUsers: () => ({ query: { size: '100' } }),
  createUser: ({ email }) => ({ body: { email } }),
  getUser: () => ({}),
  enableUser: () => ({}),
  disableUser: () => ({}),
  endUserSessions: () => ({}),
  listWorkspaces: () => ({}),
  createWorkspace: () => ({ body: { name: 'sample' } }),
  getWorkspace: () => ({}),
  updateWorkspace: () => ({ body: { description: 'changed' } }),
  closeWorkspace: () => ({}),
  transferWorkspace: ({ user }) => ({ body: { user: String(user) } }),
  listMembers: () => ({}),
  addMember: ({ email }) => ({ body: { email, role: 'viewer' } }),
  changeRole: () => ({ body: { role: 'viewer' } }),
  removeMember: () => ({}),
  listInvitations: () => ({}),
  createInvitation: ({ email }) => ({ body: { email, role: 'viewer' } }),
  withdrawInvitation: () => ({}),
  showInvitation: ({ invitationToken }) => ({ body: { token: invitationToken } }),
  joinByInvitation: ({ invitationToken }) => ({ body: { token: invitationToken } }),
  addMcpServer: () => ({ body: { name: nextName(), url: 'https://mcp.example.com/mcp' } }),
  listMcpServers: () => ({ query: { size: '100' } }),
  getMcpServer: () => ({}),
  updateMcpServer: () => ({ body: { headers: { authorization: 'Bearer theirs' } } }),
  removeMcpServer: () => ({}),
  listPrograms: () => ({}),
  endProgram: () => ({}),
  addImage: () => ({ body: { name: nextName(), image: 'registry.test/team/app' } }),
  listImages: () => ({}),
  getImage: () => ({}),
  updateImage: () => ({ body: { description: 'changed' } }),
  removeImage: () => ({}),
  pullImage: () => ({}),
  addRegistry: () => ({
    body: { name: 'sample', server: 'registry.test', username: 'robot', password: 'sample word' },
  }),
  listRegistries: () => ({ query: { size: '100' } }),
  getRegistry: () => ({}),
  updateRegistry: () => ({ body: { name: 'changed' } }),
  removeRegistry: () => ({}),
  testRegistry: () => ({}),
  reportLeakedKey: () => ({ body: { key: 'nobody has this one' } }),
  publishKeyPattern: () => ({}),
  createSandbox: () => ({ body: { template: 'python', labels: { of: 'sample' } } }),
  listSandboxes: () => ({ query: { size: '100' } }),
  getSandbox: () => ({}),
  updateSandbox: () => ({ body: { labels: { of: 'sample' } } }),
  deleteSandbox: () => ({}),
  pauseSandbox: () => ({}),
  resumeSandbox: () => ({}),
  stopSandbox: () => ({}),
  startSandbox: () => ({}),
  extendSandbox: () => ({ body: { expires_in: '1h' } }),
  waitForSandbox: () => ({ body: { states: ['ready', 'stopped'] } }),
  getEgress: () => ({}),
  setEgress: () => ({ body: { mode: 'deny_all' } }),
  getMetrics: () => ({}),
  getStats: () => ({ query: { last: '1h' } }),
  readLog: () => ({ query: { from_byte: '-100' } }),
  runCommand: () => ({ body: { command: 'true' } }),
  runCode: () => ({ body: { code: '1' } }),
  readFile: () => ({ query: { path: '/sample' } }),
  writeFile: () => ({ query: { path: '/sample' } }),
  removeFile: () => ({ query: { path: '/sample' } }),
  getFileEntry: () => ({ query: { path: '/sample' } }),
  listFiles: () => ({ query: { path: '/' } }),
  makeDirectory: () => ({ body: { path: '/sample' } }),
  moveFile: () => ({ body: { from: '/sample', to: '/moved' } }),
  packDirectory: () => ({ query: { path: '/' } }),
  unpackDirectory: () => ({ query: { path: '/' } }),
  watchDirectory: () => ({ query: { path: '/' } }),
  startProcess: () => ({ body: { command: 'true' } }),
  listProcesses: () => ({}),
  getProcess: () => ({}),
  deleteProcess: () => ({}),
  readProcessOutput: () => ({ query: { from_byte: '-10' } }),
  writeProcessInput: () => ({ body: { data: 'sample', end: true } }),
  signalProcess: () => ({ body: { signal: 'SIGTERM' } }),
  waitForProcess: () => ({ body: { timeout_seconds: 0 } }),
  issueTerminalTicket: () => ({}),
  openTerminal: () => ({ query: { columns: '120' } }),
  listEvents: () => ({ query: { limit: '10' } }),
  listSandboxEvents: () => ({ query: { after: '0' } }),
  getSnapshotSchedule: () => ({}),
  setSnapshotSchedule: () => ({ body: { cron: '0 3 * * *', keep: 2 } }),
  deleteSnapshotSchedule: () => ({}),
  createSnapshot: ({ sandbox }) => ({ body: { sandbox } }),
  listSnapshots: () => ({ query: { size: '100' } }),
  getSnapshot: () => ({}),
  deleteSnapshot: () => ({}),
  restoreSnapshot: () => ({ body: { labels: { of: 'sample' } } }),
  createVolume: () => ({ body: { name: nextName(), size_mib: 1 } }),
  listVolumes: () => ({ query: { size: '100' } }),
  getVolume: () => ({}),
  deleteVolume: () => ({}),
  listTemplates: () => ({}),
  reachPort: () => ({ port: 8_080, path: 'sample' }),
};

/** A route's path, with what the sample names in it. */
export const samplePath = (path: string, sample: RouteSample, targets: SampleTargets): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) =>
    String(({ ...targets, ...sample } as Readonly<Record<string, unknown>>)[name]),
  );
