// Distribute risk across wallets
async function distributeBalance(currency, totalAmount) {
const wallets = await getWallets();
const amountPerWallet = totalAmount / wallets.length;
for (const wallet of wallets) {
await createPayment({
amount: amountPerWallet,
currency: currency,
wallet_id: wallet.id
});
}
}
