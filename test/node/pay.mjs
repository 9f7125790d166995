// A stranger's payment with ethers: NODE_URL, TO, VALUE (wei), and with TOKEN that many units of the token instead. Prints the hash.
import { Contract, JsonRpcProvider, Wallet } from 'ethers';

const provider = new JsonRpcProvider(process.env.NODE_URL, undefined, { staticNetwork: true, polling: true });
// The first account of anvil's public phrase.
const wallet = new Wallet('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80', provider);
const { TO: to, VALUE, TOKEN } = process.env;
const value = BigInt(VALUE);
const sent = TOKEN
  ? await new Contract(TOKEN, ['function transfer(address to, uint256 value)'], wallet).transfer(to, value)
  : await wallet.sendTransaction({ to, value });
console.log(sent.hash);
provider.destroy();
