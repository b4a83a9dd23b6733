import {
  type RequestLimits,
  type SandboxPlan,
  standardLimits,
  unlimitedSandboxes,
} from '@sandgate/core';
import { z } from 'zod';
import {
  absolutePath,
  addressBlock,
  cpuCount,
  flag,
  host,
  hostName,
  httpUrl,
  mebibytes,
  nameServer,
  oneOf,
  templateName,
  wholeNumber,
} from './config-forms.ts';
import { imageConfig } from './image-config.ts';

/** 7168 KiB with 5 iterations. */
const leastPasswordWork = 35_840;

const processes = () => wholeNumber(4, 4_194_304);

const resources = (values: {
  memoryMib: number;
  cpus: number;
  diskMib: number;
  maxProcesses: number;
}) =>
  z
    .strictObject({
      memoryMib: mebibytes().default(values.memoryMib),
      cpus: cpuCount().default(values.cpus),
      diskMib: mebibytes().default(values.diskMib),
      maxProcesses: processes().default(values.maxProcesses),
    })
    .prefault({});

const requestLimit = () => wholeNumber(1, 1_000_000_000).nullable();

/** Requests of one key in any stretch of that length. Null: without limit. */
const requestLimits = () =>
  z
    .strictObject({
      minute: requestLimit().default(standardLimits.minute),
      hour: requestLimit().default(standardLimits.hour),
      day: requestLimit().default(standardLimits.day),
      quota24h: requestLimit().default(standardLimits.quota24h),
    })
    .prefault({});

/** What a workspace may have when its plan does not say: as much as the server gives. */
export const standardPlan: SandboxPlan = { ...unlimitedSandboxes, apiKeys: true };

const sandboxCount = () => wholeNumber(0, 10_000_000).nullable().default(null);
const sharedMebibytes = () => wholeNumber(1, 1_073_741_824).nullable().default(null);

/** What the sandboxes of one workspace may be. Null: without limit. */
const sandboxPlan = () =>
  z
    .strictObject({
      sandboxes: sandboxCount(),
      running: sandboxCount(),
      cpus: cpuCount().nullable().default(null),
      memoryMib: sharedMebibytes(),
      diskMib: sharedMebibytes(),
      volumes: sandboxCount(),
      volumeMib: sharedMebibytes(),
      snapshots: sandboxCount(),
      apiKeys: flag().default(true),
    })
    .prefault({});

/** Null: never. */
const seconds = () => wholeNumber(1, 3_153_600_000).nullable();

/**
 * Everything that can be configured, with its default: the form of `config.json`.
 * `docs/configuration.md` explains each key, and a test keeps the two equal.
 */
export const serverConfig = z.strictObject({
  host: host().default('127.0.0.1'),
  /** 0: any free port. */
  port: wholeNumber(0, 65_535).default(5_555),
  /** HTTPS is served when this is set. */
  tls: z
    .strictObject({ certPath: absolutePath(), keyPath: absolutePath() })
    .nullable()
    .default(null),
  log: z
    .strictObject({
      level: oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent').default('info'),
      destination: oneOf('file', 'stderr').default('file'),
    })
    .prefault({}),
  allowedHostPaths: z
    .array(z.strictObject({ path: absolutePath(), readOnly: flag().default(true) }))
    .default([]),
  /** Running at once, over all namespaces. */
  maxSandboxes: wholeNumber(1, 100_000).default(100),
  /** What is stored of sandboxes, running or not. */
  stored: z
    .strictObject({
      sandboxesPerNamespace: wholeNumber(1, 10_000_000).default(10_000),
      sandboxes: wholeNumber(1, 10_000_000).default(100_000),
      filesMibPerNamespace: mebibytes().default(20_480),
      filesMib: mebibytes().default(102_400),
      /** How long what is known of a destroyed sandbox is kept. */
      destroyedDays: wholeNumber(0, 36_500).default(7),
    })
    .prefault({}),
  /** Of all running sandboxes together. Null: as much as they ask for. */
  capacity: z
    .strictObject({
      memoryMib: mebibytes().nullable().default(null),
      cpus: cpuCount().nullable().default(null),
    })
    .prefault({}),
  launch: z
    .strictObject({
      /** How long a start may wait for its turn. */
      queueSeconds: wholeNumber(1, 3_600).default(20),
    })
    .prefault({}),
  /** Sandboxes that are kept ready, by the name of their template. */
  pool: z.record(templateName(), wholeNumber(0, 1_000)).default({}),
  /** Further names for images. */
  templates: z
    .record(
      templateName(),
      z.strictObject({
        image: z.string({ error: 'must be the name of an image' }).min(1),
        displayName: z.string().optional(),
        description: z.string().optional(),
      }),
    )
    .default({
      'python-3.12': { image: 'microsandbox/python', displayName: 'Python' },
      'node-22': { image: 'microsandbox/node', displayName: 'Node.js' },
    }),
  processes: z
    .strictObject({
      /** Output that is kept of each background process. */
      outputKib: wholeNumber(1, 1_048_576).default(1_024),
      perSandbox: wholeNumber(1, 10_000).default(64),
      /** How long one that ended is known. */
      keptSeconds: wholeNumber(1, 604_800).default(3_600),
    })
    .prefault({}),
  stats: z
    .strictObject({
      /** How often metrics are read for the history. Null: never. */
      everySeconds: wholeNumber(1, 86_400).nullable().default(60),
    })
    .prefault({}),
  sandbox: z
    .strictObject({
      defaults: resources({ memoryMib: 1_024, cpus: 1, diskMib: 1_024, maxProcesses: 256 }),
      maxima: resources({ memoryMib: 8_192, cpus: 8, diskMib: 10_240, maxProcesses: 4_096 }),
      /** Of one that is created without naming any. */
      template: templateName().default('python'),
      /** Of one that is made without saying. */
      egress: oneOf('deny_all', 'open').default('deny_all'),
      /** Where sandboxes have host names of their own. Null: they are reached by paths. */
      wildcardUrl: z
        .string()
        .regex(/^https?:\/\/\*(\.[a-z0-9-]+)+(:\d{1,5})?$/, {
          error: 'must be an address like "https://*.box.example"',
        })
        .nullable()
        .default(null),
      lifetime: z
        .strictObject({
          idleSeconds: seconds().default(null),
          maxSeconds: seconds().default(null),
          pausedSeconds: seconds().default(null),
        })
        .prefault({}),
    })
    .prefault({})
    .superRefine(({ defaults, maxima }, context) => {
      for (const name of ['memoryMib', 'cpus', 'diskMib', 'maxProcesses'] as const) {
        if (defaults[name] <= maxima[name]) continue;
        const message = `is ${defaults[name]}, over its maximum of ${maxima[name]}: lower it, or raise sandbox.maxima.${name}`;
        context.addIssue({ code: 'custom', path: ['defaults', name], message });
      }
    }),
  engine: z
    .strictObject({
      launcher: oneOf('auto', 'bubblewrap', 'util-linux').default('auto'),
      /** Null: the first Python on PATH that is really installed. */
      pythonPath: absolutePath().nullable().default(null),
      /** Starts that go on at once; the others take turns. */
      parallelStarts: wholeNumber(1, 1_000).default(8),
      /** Null: no sandboxes in containers. */
      docker: z
        .strictObject({
          socketPath: absolutePath().default('/var/run/docker.sock'),
          /** `auto`: gVisor's runsc where Docker has it, else Docker's default. */
          runtime: z
            .string()
            .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
              error: 'must be "auto" or the name of a runtime that the daemon knows',
            })
            .default('auto'),
          /** Images by the name that clients use. */
          templates: z.record(
            z.string().regex(/^[a-z0-9][a-z0-9./_-]{0,127}$/, {
              error: 'a template is named by a-z, 0-9, dots, slashes, hyphens and underscores',
            }),
            z.strictObject({
              image: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,255}$/, {
                error: 'must be the reference of an image, as in "debian:12"',
              }),
              description: z.string().max(200).nullable().default(null),
            }),
          ),
        })
        .nullable()
        .default(null),
    })
    .prefault({}),
  /** What holds for the connections of every sandbox, whatever its own policy says. */
  egress: z
    .strictObject({
      /** Blocks that sandboxes may reach although they are not on the public Internet. */
      allowedPrivateRanges: z.array(addressBlock()).default([]),
      refusedPorts: z.array(wholeNumber(1, 65_535)).default([25]),
      /** Empty: those of the machine. */
      nameServers: z.array(nameServer()).default([]),
    })
    .prefault({}),
  /** By name. A workspace has one; `standard` is always there. */
  plans: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a plan is named by a-z, 0-9 and hyphens'),
      z.strictObject({ requests: requestLimits(), sandboxes: sandboxPlan() }),
    )
    .default({})
    .transform(
      (plans): Record<string, { requests: RequestLimits; sandboxes: SandboxPlan }> => ({
        standard: { requests: standardLimits, sandboxes: standardPlan },
        ...plans,
      }),
    ),
  identity: z
    .strictObject({
      /** How this server is reached from outside: what its access tokens are issued by. */
      publicUrl: httpUrl().nullable().default(null),
      /** How long a login lasts, however often it is refreshed. */
      sessionDays: wholeNumber(1, 365).default(30),
      /** How many workspaces a person may own, their home among them. */
      workspacesPerPerson: wholeNumber(1, 100_000).default(100),
      /** How long one key signs access tokens. */
      signingKeyDays: wholeNumber(1, 365).default(30),
      /** Argon2id. OWASP's least is 19456 KiB with 2 iterations, or 7168 KiB with 5. */
      password: z
        .strictObject({
          memoryKib: wholeNumber(7_168, 1_048_576).default(19_456),
          iterations: wholeNumber(1, 100).default(2),
        })
        .prefault({})
        .refine(({ memoryKib, iterations }) => memoryKib * iterations >= leastPasswordWork, {
          error: 'memoryKib times iterations must be 35840 or more',
        }),
      /** Sign-in of MCP clients with OAuth. */
      oauth: z
        .strictObject({
          enabled: flag().default(true),
          /** How long a person may let a program in for. */
          grantDays: wholeNumber(1, 365).default(30),
          /** Hosts that are not on the public Internet, where programs may be described. */
          allowedPrivateHosts: z.array(hostName()).default([]),
        })
        .prefault({}),
      /** Single sign-on. */
      signOn: z
        .strictObject({
          /** By name, as in `/auth/sso/google`. */
          providers: z
            .record(
              z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, {
                error: 'a provider is named by a-z, 0-9 and hyphens',
              }),
              z.discriminatedUnion('kind', [
                z.strictObject({
                  kind: z.literal('oidc'),
                  issuer: httpUrl(),
                  clientId: z.string().min(1),
                  clientSecret: z.string().min(1),
                  trustEmail: flag().default(false),
                }),
                z.strictObject({
                  kind: z.literal('github'),
                  clientId: z.string().min(1),
                  clientSecret: z.string().min(1),
                  baseUrl: httpUrl().default('https://github.com'),
                  apiUrl: httpUrl().default('https://api.github.com'),
                }),
              ]),
            )
            .default({}),
          /** Where browsers may be sent back to. The first when none is named. */
          returnUrls: z.array(httpUrl()).default([]),
          /** Whoever has no account gets one. */
          allowSignUp: flag().default(false),
        })
        .prefault({}),
      /** Asked for at each login when it is set. */
      captcha: z
        .strictObject({
          secret: z.string().min(1),
          verifyUrl: httpUrl().default('https://www.google.com/recaptcha/api/siteverify'),
        })
        .nullable()
        .default(null),
    })
    .prefault({})
    .superRefine(({ publicUrl, signOn }, context) => {
      if (Object.keys(signOn.providers).length === 0) return;
      if (publicUrl === null) {
        const message = 'is needed for single sign-on: providers send browsers back to it';
        context.addIssue({ code: 'custom', path: ['publicUrl'], message });
      }
      if (signOn.returnUrls.length === 0) {
        const message = 'needs one address at least, to send browsers back to with their tokens';
        context.addIssue({ code: 'custom', path: ['signOn', 'returnUrls'], message });
      }
    }),
  webhooks: z
    .strictObject({
      /** May be called although they are private, and without TLS. */
      allowedPrivateHosts: z.array(hostName()).default([]),
    })
    .prefault({}),
  /** Of registries. */
  images: imageConfig(),
  /** The gate in front of MCP servers. */
  mcp: z
    .strictObject({
      /** May be called although they are private, and without TLS. */
      allowedPrivateHosts: z.array(hostName()).default([]),
      /** How long a server may take to begin its answer. */
      answerSeconds: wholeNumber(1, 86_400).default(300),
      /** How long it may be silent in an answer. */
      silenceSeconds: wholeNumber(1, 86_400).default(3_600),
      /** After which a session with a command ends, and a sandbox without sessions. */
      commandIdleSeconds: wholeNumber(1, 86_400).default(300),
      /** Processes of one command at once: one for each session. */
      commandSessions: wholeNumber(1, 1_000).default(32),
      /** Of one address, to servers without authentication. */
      openCallsPerMinute: wholeNumber(1, 1_000_000).default(600),
    })
    .prefault({}),
  usage: z
    .strictObject({
      /** How long single requests are kept. Their sums are kept for ever. */
      retentionDays: wholeNumber(2, 36_500).default(30),
    })
    .prefault({}),
  storage: z
    .strictObject({
      /** `full`: a request is answered when the disk has its usage row. */
      synchronous: oneOf('normal', 'full').default('normal'),
    })
    .prefault({}),
  shutdown: z
    .strictObject({
      /** How long calls in progress may take to end. */
      drainSeconds: wholeNumber(0, 3_600).default(10),
    })
    .prefault({}),
});

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** The configuration of one server: complete, valid and frozen. */
export type ServerConfig = DeepReadonly<z.infer<typeof serverConfig>>;
