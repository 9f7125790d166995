// Compiles Tokens.sol and prints the creation code of each contract in it, as JSON by name.
import { readFileSync } from 'node:fs'
import solc from 'solc'

const input = {
  language: 'Solidity',
  sources: { 'Tokens.sol': { content: readFileSync('Tokens.sol', 'utf8') } },
  settings: { evmVersion: 'paris', optimizer: { enabled: true }, outputSelection: { '*': { '*': ['evm.bytecode.object'] } } },
}
const find = path => ({ contents: readFileSync(`node_modules/${path}`, 'utf8') })
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: find }))
const errors = (output.errors ?? []).filter(error => error.severity === 'error')
if (errors.length > 0) throw new Error(errors.map(error => error.formattedMessage).join('\n'))
const contracts = Object.entries(output.contracts['Tokens.sol']).map(([name, one]) => [name, '0x' + one.evm.bytecode.object])
console.log(JSON.stringify(Object.fromEntries(contracts)))
