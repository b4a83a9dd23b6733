/**
 * Variables by which programs find a proxy: curl, wget, git, pip, npm, Python's urllib, requests and
 * httpx, Go. Each knows some of them, and curl heeds `http_proxy` in small letters alone. ALL_PROXY
 * names the HTTP side too: httpx refuses to start with a SOCKS proxy unless it has a package for it.
 */
export function proxyEnvironment(proxy: string): Readonly<Record<string, string>> {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];
  const named = { ...Object.fromEntries(names.map((name) => [name, proxy])), NO_PROXY: ownHosts };
  const lower = Object.entries(named).map(([name, value]) => [name.toLowerCase(), value]);
  // Node heeds the others only with this one (from 22.21 and 24.5 on).
  return { ...named, ...Object.fromEntries(lower), NODE_USE_ENV_PROXY: '1' };
}

const ownHosts = 'localhost,127.0.0.1,::1';
