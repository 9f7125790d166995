async function getBalanceChartData(currency = 'USDTERC20', period = '7d') {
const response = await fetch(
`https://api.cryptofuse.io/user/balances/history/?currency=${currency}&period=${period}`,
{
headers: {
'Authorization': `Bearer ${accessToken}`
}
}
);
const data = await response.json();
// Prepare chart data
const chartData = {
labels: data.history.map(h => new Date(h.timestamp).toLocaleDateString()),
datasets: [
{
label: 'Balance',
data: data.history.map(h => parseFloat(h.balance)),
borderColor: 'rgb(75, 192, 192)',
tension: 0.1
},
{
label: 'Deposits',
data: data.history.map(h => parseFloat(h.deposits)),
borderColor: 'rgb(54, 162, 235)',
backgroundColor: 'rgba(54, 162, 235, 0.2)',
type: 'bar'
},
{
label: 'Withdrawals',
data: data.history.map(h => -parseFloat(h.withdrawals)),
borderColor: 'rgb(255, 99, 132)',
backgroundColor: 'rgba(255, 99, 132, 0.2)',
type: 'bar'
}
]
};
return chartData;
}
