import { changePasswordRoute } from './account/change-password.ts';
import { endProgramRoute, listProgramsRoute } from './account/programs.ts';
import { endSessionRoute, endSessionsRoute, listSessionsRoute } from './account/sessions.ts';
import { updateMeRoute } from './account/update-me.ts';
import {
  changeAlertSettingsRoute,
  showAlertSettingsRoute,
} from './alerts/alert-settings-routes.ts';
import { listAlertHistoryRoute, listAlertsRoute } from './alerts/list-alerts.ts';
import { listWebhookDeliveriesRoute } from './alerts/list-webhook-deliveries.ts';
import { showAlertRoute } from './alerts/show-alert.ts';
import { acknowledgeAlertRoute, updateAlertRoute } from './alerts/update-alert.ts';
import { createChildKeyRoute, createKeyRoute } from './api-keys/create-key.ts';
import { listKeysRoute } from './api-keys/list-keys.ts';
import { deleteKeyRoute, revokeKeyRoute } from './api-keys/revoke-key.ts';
import { rotateKeyRoute } from './api-keys/rotate-key.ts';
import { showKeyRoute } from './api-keys/show-key.ts';
import { disableKeyRoute, enableKeyRoute } from './api-keys/switch-key.ts';
import { updateKeyRoute } from './api-keys/update-key.ts';
import { listAuditRoute } from './audit/list-audit.ts';
import { runCodeRoute } from './commands/run-code.ts';
import { runCommandRoute } from './commands/run-command.ts';
import { setEgressRoute } from './egress/set-egress.ts';
import { showEgressRoute } from './egress/show-egress.ts';
import { listEventsRoute, listSandboxEventsRoute } from './events/read-events.ts';
import { packDirectoryRoute, unpackDirectoryRoute } from './files/archive-directory.ts';
import { makeDirectoryRoute, moveFileRoute, removeFileRoute } from './files/change-files.ts';
import { listFilesRoute, showFileRoute } from './files/look-at-files.ts';
import { readFileRoute } from './files/read-file.ts';
import { watchDirectoryRoute } from './files/watch-directory.ts';
import { writeFileRoute } from './files/write-file.ts';
import { addImageRoute } from './images/add-image.ts';
import { removeImageRoute, updateImageRoute } from './images/change-image.ts';
import { listImagesRoute, showImageRoute } from './images/list-images.ts';
import { pullImageRoute } from './images/pull-image.ts';
import { addMcpServerRoute } from './mcp-servers/add-mcp-server.ts';
import { listMcpServersRoute } from './mcp-servers/list-mcp-servers.ts';
import { removeMcpServerRoute } from './mcp-servers/remove-mcp-server.ts';
import { showMcpServerRoute } from './mcp-servers/show-mcp-server.ts';
import { updateMcpServerRoute } from './mcp-servers/update-mcp-server.ts';
import { reachPortRoute } from './ports/reach-port.ts';
import {
  deleteProcessRoute,
  signalProcessRoute,
  writeProcessInputRoute,
} from './processes/control-process.ts';
import {
  listProcessesRoute,
  showProcessRoute,
  waitForProcessRoute,
} from './processes/look-at-processes.ts';
import { readProcessOutputRoute } from './processes/read-process-output.ts';
import { startProcessRoute } from './processes/start-process.ts';
import { publishKeyPatternRoute } from './publish-key-pattern.ts';
import { readLogRoute } from './readings/read-log.ts';
import { showMetricsRoute } from './readings/show-metrics.ts';
import { showStatsRoute } from './readings/show-stats.ts';
import { addRegistryRoute } from './registries/add-registry.ts';
import { listRegistriesRoute } from './registries/list-registries.ts';
import { removeRegistryRoute } from './registries/remove-registry.ts';
import { showRegistryRoute } from './registries/show-registry.ts';
import { testRegistryRoute } from './registries/test-registry.ts';
import { updateRegistryRoute } from './registries/update-registry.ts';
import { reportLeakedKeyRoute } from './report-leaked-key.ts';
import type { Route } from './route.ts';
import { createSandboxRoute } from './sandboxes/create-sandbox.ts';
import { deleteSandboxRoute } from './sandboxes/delete-sandbox.ts';
import { listSandboxesRoute } from './sandboxes/list-sandboxes.ts';
import { showSandboxRoute } from './sandboxes/show-sandbox.ts';
import {
  pauseSandboxRoute,
  resumeSandboxRoute,
  startSandboxRoute,
  stopSandboxRoute,
} from './sandboxes/switch-sandbox.ts';
import { extendSandboxRoute, updateSandboxRoute } from './sandboxes/update-sandbox.ts';
import { waitForSandboxRoute } from './sandboxes/wait-for-sandbox.ts';
import { exchangeCodeRoute } from './session/exchange-code.ts';
import { logOutRoute, refreshRoute } from './session/keep-session.ts';
import { logInRoute } from './session/log-in.ts';
import { acceptInvitationRoute, setUpRoute } from './session/make-account.ts';
import { signInOptionsRoute } from './session/sign-in-options.ts';
import { showMeRoute } from './show-me.ts';
import { createSnapshotRoute } from './snapshots/create-snapshot.ts';
import { deleteSnapshotRoute } from './snapshots/delete-snapshot.ts';
import { listSnapshotsRoute } from './snapshots/list-snapshots.ts';
import { restoreSnapshotRoute } from './snapshots/restore-snapshot.ts';
import { showSnapshotRoute } from './snapshots/show-snapshot.ts';
import {
  deleteSnapshotScheduleRoute,
  setSnapshotScheduleRoute,
  showSnapshotScheduleRoute,
} from './snapshots/snapshot-schedule.ts';
import { listTemplatesRoute } from './templates/list-templates.ts';
import { issueTicketRoute } from './terminal/issue-ticket.ts';
import { openTerminalRoute } from './terminal/open-terminal.ts';
import { commentOnTicketRoute } from './tickets/comment-on-ticket.ts';
import { listTicketsRoute } from './tickets/list-tickets.ts';
import { openTicketRoute } from './tickets/open-ticket.ts';
import { showTicketRoute } from './tickets/show-ticket.ts';
import { updateTicketRoute } from './tickets/update-ticket.ts';
import { dashboardStatsRoute } from './usage/dashboard-stats.ts';
import { listUsageRoute } from './usage/list-usage.ts';
import { summarizeUsageRoute } from './usage/summarize-usage.ts';
import { createUserRoute } from './users/create-user.ts';
import { endUserSessionsRoute } from './users/end-user-sessions.ts';
import { listUsersRoute } from './users/list-users.ts';
import { showUserRoute } from './users/show-user.ts';
import { disableUserRoute, enableUserRoute } from './users/switch-user.ts';
import { verifyKeyRoute } from './verify-key.ts';
import { createVolumeRoute } from './volumes/create-volume.ts';
import { deleteVolumeRoute } from './volumes/delete-volume.ts';
import { listVolumesRoute } from './volumes/list-volumes.ts';
import { showVolumeRoute } from './volumes/show-volume.ts';
import { changePlanRoute } from './workspaces/change-plan.ts';
import {
  closeWorkspaceRoute,
  transferWorkspaceRoute,
  updateWorkspaceRoute,
} from './workspaces/change-workspace.ts';
import { createWorkspaceRoute } from './workspaces/create-workspace.ts';
import {
  createInvitationRoute,
  listInvitationsRoute,
  withdrawInvitationRoute,
} from './workspaces/invitations.ts';
import { listPlansRoute } from './workspaces/list-plans.ts';
import { listWorkspacesRoute } from './workspaces/list-workspaces.ts';
import {
  addMemberRoute,
  changeRoleRoute,
  listMembersRoute,
  removeMemberRoute,
} from './workspaces/members.ts';
import { showWorkspaceRoute } from './workspaces/show-workspace.ts';
import { joinByInvitationRoute, showInvitationRoute } from './workspaces/use-invitation.ts';

/** Every route of this door. What is not here is answered by nobody, and documented nowhere. */
export const allRoutes: readonly Route[] = [
  createKeyRoute,
  listKeysRoute,
  showKeyRoute,
  updateKeyRoute,
  deleteKeyRoute,
  rotateKeyRoute,
  revokeKeyRoute,
  enableKeyRoute,
  disableKeyRoute,
  createChildKeyRoute,
  showMeRoute,
  logInRoute,
  refreshRoute,
  logOutRoute,
  exchangeCodeRoute,
  setUpRoute,
  signInOptionsRoute,
  updateMeRoute,
  changePasswordRoute,
  listSessionsRoute,
  endSessionRoute,
  endSessionsRoute,
  listProgramsRoute,
  endProgramRoute,
  verifyKeyRoute,
  listUsageRoute,
  summarizeUsageRoute,
  dashboardStatsRoute,
  listAuditRoute,
  listAlertsRoute,
  // Before the alert of a number, whose path they would be too.
  listAlertHistoryRoute,
  listWebhookDeliveriesRoute,
  showAlertSettingsRoute,
  changeAlertSettingsRoute,
  showAlertRoute,
  updateAlertRoute,
  acknowledgeAlertRoute,
  listTicketsRoute,
  openTicketRoute,
  showTicketRoute,
  updateTicketRoute,
  commentOnTicketRoute,
  listPlansRoute,
  changePlanRoute,
  listUsersRoute,
  createUserRoute,
  showUserRoute,
  enableUserRoute,
  disableUserRoute,
  endUserSessionsRoute,
  listWorkspacesRoute,
  createWorkspaceRoute,
  showWorkspaceRoute,
  updateWorkspaceRoute,
  closeWorkspaceRoute,
  transferWorkspaceRoute,
  listMembersRoute,
  addMemberRoute,
  changeRoleRoute,
  removeMemberRoute,
  listInvitationsRoute,
  createInvitationRoute,
  withdrawInvitationRoute,
  showInvitationRoute,
  acceptInvitationRoute,
  joinByInvitationRoute,
  reportLeakedKeyRoute,
  publishKeyPatternRoute,
  createSandboxRoute,
  listSandboxesRoute,
  // Before the sandbox of a name, whose path they would be too.
  listEventsRoute,
  showSandboxRoute,
  updateSandboxRoute,
  deleteSandboxRoute,
  pauseSandboxRoute,
  resumeSandboxRoute,
  stopSandboxRoute,
  startSandboxRoute,
  extendSandboxRoute,
  waitForSandboxRoute,
  showEgressRoute,
  setEgressRoute,
  showMetricsRoute,
  showStatsRoute,
  readLogRoute,
  listSandboxEventsRoute,
  showSnapshotScheduleRoute,
  setSnapshotScheduleRoute,
  deleteSnapshotScheduleRoute,
  createSnapshotRoute,
  listSnapshotsRoute,
  showSnapshotRoute,
  deleteSnapshotRoute,
  restoreSnapshotRoute,
  createVolumeRoute,
  listVolumesRoute,
  showVolumeRoute,
  deleteVolumeRoute,
  listTemplatesRoute,
  runCommandRoute,
  runCodeRoute,
  readFileRoute,
  writeFileRoute,
  removeFileRoute,
  showFileRoute,
  listFilesRoute,
  makeDirectoryRoute,
  moveFileRoute,
  packDirectoryRoute,
  unpackDirectoryRoute,
  watchDirectoryRoute,
  startProcessRoute,
  listProcessesRoute,
  showProcessRoute,
  deleteProcessRoute,
  readProcessOutputRoute,
  writeProcessInputRoute,
  signalProcessRoute,
  waitForProcessRoute,
  reachPortRoute,
  issueTicketRoute,
  openTerminalRoute,
  addMcpServerRoute,
  listMcpServersRoute,
  showMcpServerRoute,
  updateMcpServerRoute,
  removeMcpServerRoute,
  addImageRoute,
  listImagesRoute,
  showImageRoute,
  updateImageRoute,
  removeImageRoute,
  pullImageRoute,
  addRegistryRoute,
  listRegistriesRoute,
  showRegistryRoute,
  updateRegistryRoute,
  removeRegistryRoute,
  testRegistryRoute,
];
