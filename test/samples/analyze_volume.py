import pandas as pd
from datetime import datetime, timedelta
async def analyze_transaction_volume():
    """Analyze transaction patterns across currencies."""
    currencies = ['USDTERC20', 'USDCERC20', 'DAIERC20']
    all_data = {}
    for currency in currencies:
        response = requests.get(
            f'https://api.cryptofuse.io/user/balances/history/',
            params={'currency': currency, 'period': '30d'},
            headers={'Authorization': f'Bearer {access_token}'}
        )
        if response.status_code == 200:
            data = response.json()
            all_data[currency] = pd.DataFrame(data['history'])
    # Calculate metrics
    for currency, df in all_data.items():
        df['timestamp'] = pd.to_datetime(df['timestamp'])
        df['deposits'] = df['deposits'].astype(float)
        df['withdrawals'] = df['withdrawals'].astype(float)
        print(f"\n{currency} Analysis:")
        print(f"Total Volume: ${df['deposits'].sum() + df['withdrawals'].sum():,.2f}")
        print(f"Average Daily Deposits: ${df['deposits'].mean():,.2f}")
        print(f"Peak Day: {df.loc[df['deposits'].idxmax(), 'timestamp'].date()}")
        print(f"Deposit/Withdrawal Ratio: {df['deposits'].sum() / df['withdrawals'].sum():.2f}")
