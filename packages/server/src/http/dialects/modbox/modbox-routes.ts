import { createTokenRoute, listTokensRoute, revokeTokenRoute } from './api-tokens/api-tokens.ts';
import { changePasswordRoute } from './auth/change-password.ts';
import { keySetRoute } from './auth/key-set.ts';
import { logInRoute } from './auth/log-in.ts';
import { logOutEverywhereRoute, logOutRoute } from './auth/log-out.ts';
import { refreshRoute } from './auth/refresh.ts';
import { endSessionRoute, listSessionsRoute } from './auth/sessions.ts';
import { setUpRoute } from './auth/set-up.ts';
import { showPersonRoute } from './auth/show-person.ts';
import {
  createImageRoute,
  deleteImageRoute,
  listImagesRoute,
  showImageRoute,
  updateImageRoute,
} from './images/images.ts';
import type { ModboxRoute } from './modbox-route.ts';
import {
  createRegistryRoute,
  deleteRegistryRoute,
  listRegistriesRoute,
  updateRegistryRoute,
} from './registries/registries.ts';
import { destroySandboxRoute } from './sandboxes/destroy-sandbox.ts';
import { listSandboxesRoute } from './sandboxes/list-sandboxes.ts';
import { provisionSandboxRoute } from './sandboxes/provision-sandbox.ts';
import { showSandboxRoute } from './sandboxes/show-sandbox.ts';
import { waitForSandboxRoute } from './sandboxes/wait-for-sandbox.ts';
import { beginSignInRoute, linkIdentityRoute } from './sso/begin-sign-in.ts';
import { endSignInRoute, exchangeCodeRoute } from './sso/end-sign-in.ts';
import {
  closeWorkspaceRoute,
  transferWorkspaceRoute,
  updateWorkspaceRoute,
} from './workspaces/change-workspace.ts';
import { createWorkspaceRoute } from './workspaces/create-workspace.ts';
import {
  acceptInvitationRoute,
  joinByInvitationRoute,
  listInvitationsRoute,
  showInvitationRoute,
  withdrawInvitationRoute,
} from './workspaces/invitations.ts';
import { listWorkspacesRoute } from './workspaces/list-workspaces.ts';
import { addMemberRoute, changeRoleRoute, removeMemberRoute } from './workspaces/members.ts';
import { showWorkspaceRoute } from './workspaces/show-workspace.ts';

/** Every route of this door. What is not here is answered by nobody. */
export const modboxRoutes: readonly ModboxRoute[] = [
  logInRoute,
  refreshRoute,
  logOutRoute,
  logOutEverywhereRoute,
  setUpRoute,
  showPersonRoute,
  changePasswordRoute,
  listSessionsRoute,
  endSessionRoute,
  keySetRoute,
  beginSignInRoute,
  linkIdentityRoute,
  endSignInRoute,
  exchangeCodeRoute,
  showInvitationRoute,
  acceptInvitationRoute,
  joinByInvitationRoute,
  createTokenRoute,
  listTokensRoute,
  revokeTokenRoute,
  listWorkspacesRoute,
  createWorkspaceRoute,
  showWorkspaceRoute,
  updateWorkspaceRoute,
  closeWorkspaceRoute,
  transferWorkspaceRoute,
  addMemberRoute,
  changeRoleRoute,
  removeMemberRoute,
  listInvitationsRoute,
  withdrawInvitationRoute,
  provisionSandboxRoute,
  waitForSandboxRoute,
  listSandboxesRoute,
  showSandboxRoute,
  destroySandboxRoute,
  listImagesRoute,
  createImageRoute,
  showImageRoute,
  updateImageRoute,
  deleteImageRoute,
  listRegistriesRoute,
  createRegistryRoute,
  updateRegistryRoute,
  deleteRegistryRoute,
];
