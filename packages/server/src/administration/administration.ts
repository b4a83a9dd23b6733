import { type AuditAdministration, createAuditAdministration } from './audit-administration.ts';
import {
  createKeyAdministration,
  type KeyAdministration,
  type KeyAdministrationDependencies,
} from './key-administration.ts';
import { createStoreOverview, type StoreOverview } from './store-overview.ts';
import {
  createUsageAdministration,
  type UsageAdministration,
  type UsageAdministrationDependencies,
} from './usage-administration.ts';
import {
  createUserAdministration,
  type UserAdministration,
  type UserAdministrationDependencies,
} from './user-administration.ts';

export interface AdministrationDependencies
  extends KeyAdministrationDependencies,
    UsageAdministrationDependencies,
    UserAdministrationDependencies {}

/**
 * What an operator does on the machine itself. Works on the store directly, whether or not a server
 * runs on it: a server reads keys at every check and so sees each change at once.
 */
export interface Administration
  extends KeyAdministration,
    UsageAdministration,
    AuditAdministration,
    UserAdministration,
    StoreOverview {}

export const createAdministration = (dependencies: AdministrationDependencies): Administration => ({
  ...createKeyAdministration(dependencies),
  ...createUsageAdministration(dependencies),
  ...createAuditAdministration(dependencies),
  ...createUserAdministration(dependencies),
  ...createStoreOverview(dependencies.storage),
});
