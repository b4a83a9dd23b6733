import type { OutboundPolicy } from '../outbound/outbound-target.ts';

/** Where webhooks may be called. */
export const webhookPolicy = (
  configured: Pick<OutboundPolicy, 'allowedPrivateHosts'>,
): OutboundPolicy => ({
  what: 'webhook',
  example: 'https://hooks.example.com/sandgate',
  setting: 'webhooks.allowedPrivateHosts',
  allowedPrivateHosts: configured.allowedPrivateHosts,
});
