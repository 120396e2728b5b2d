/** A cgroup for each host: two that shared one would list each other's processes as their own, and could end them. */
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs'

/** Of systemd alone (version 2), or of both versions side by side. */
const roots = existsSync('/sys/fs/cgroup/cgroup.controllers')
  ? ['/sys/fs/cgroup']
  : ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'].filter((root) => existsSync(root))

export interface OwnCgroup {
  readonly directories: readonly string[]
  /** Once nothing runs in it. */
  remove(): void
}

export function makeCgroup(name: string): OwnCgroup {
  const directories = roots.map((root) => `${root}/${name}`)
  for (const directory of directories) mkdirSync(directory)
  return { directories, remove: () => directories.forEach(removeTree) }
}

/** A cgroup is removed by removing the directories; its files go with them. */
function removeTree(directory: string): void {
  if (!existsSync(directory)) return
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(`${directory}/${entry.name}`)
  }
  rmdirSync(directory)
}
