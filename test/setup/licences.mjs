// Part of the build: the licences of the packages that esbuild put into dist/hactl.js, since the bundle is all that is shipped.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

const { inputs } = JSON.parse(readFileSync('dist/meta.json', 'utf8'))
const names = new Set(Object.keys(inputs).map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean))
const parts = [...names].sort().map((name) => {
  const directory = `node_modules/${name}`
  const { version, license } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'))
  const file = existsSync(directory) ? readdirSync(directory).find((one) => /^licen[cs]e/i.test(one)) : undefined
  return `${name} ${version} (${license})\n\n${file === undefined ? 'The package has no licence file.' : readFileSync(`${directory}/${file}`, 'utf8').trim()}\n`
})
writeFileSync('dist/LICENSES.txt', `hactl.js contains these packages:\n\n${parts.join(`\n${'-'.repeat(78)}\n\n`)}`)
