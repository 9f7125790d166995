class BalanceCache:
    def __init__(self, ttl=300): # 5 minute cache
        self.cache = {}
        self.ttl = ttl
    async def get_balance(self, currency=None):
        cache_key = currency or 'all'
        cached = self.cache.get(cache_key)
        if cached and cached['expires'] > time.time():
            return cached['data']
        # Fetch fresh data
        params = {'currency': currency} if currency else {}
        response = await fetch_balances(params)
        self.cache[cache_key] = {
            'data': response,
            'expires': time.time() + self.ttl
        }
        return response
