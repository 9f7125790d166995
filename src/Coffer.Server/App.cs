using Coffer.Chains;
using Coffer.Server.Addresses;
using Coffer.Server.Alerts;
using Coffer.Server.Auth;
using Coffer.Server.Balances;
using Coffer.Server.Chain;
using Coffer.Server.Dashboard;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.OpenApi;
using Coffer.Server.Outbound;
using Coffer.Server.Payments;
using Coffer.Server.Payouts;
using Coffer.Server.Proofs;
using Coffer.Server.Rates;
using Coffer.Server.Sql;
using Coffer.Server.Wallets;
using Coffer.Server.Webhooks;
using Coffer.Server.Withdrawals;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Coffer.Server;

/// <summary>
/// The running server: composition, read top to bottom. Started by the command line with a migrated database, and by tests.
/// Disposing it stops listening, lets running requests finish, then ends the writers and the connections.
/// </summary>
internal sealed class App : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly LedgerWriters _ledger;
    private readonly IReadOnlyList<IAsyncDisposable> _lanes;
    private readonly IReadOnlyList<Worker> _workers;
    private RealChains? _chains;
    private IReadOnlyList<SignerClient> _signers = [];
    private DeliverEvents? _deliver;
    private PostOut? _post;
    private PriceHttp? _priceHttp;

    private App(WebApplication web, Db db, LedgerWriters ledger, IReadOnlyList<IAsyncDisposable> lanes, IssueCredential issue,
        IReadOnlyList<Worker> workers) => (_web, Db, _ledger, _lanes, Issue, _workers) = (web, db, ledger, lanes, issue, workers);

    /// <summary>Where it listens, without a final slash.</summary>
    public string BaseUrl => ListeningUrl(_web);

    public Db Db { get; }

    public LedgerWriters Ledger => _ledger;

    /// <summary>The currencies that this server keeps.</summary>
    public Currencies Currencies { get; private init; } = new([]);

    /// <summary>Gives out deposit addresses; for the demo.</summary>
    public required IssueAddress Addresses { get; init; }

    /// <summary>What the networks are charged at; for tests.</summary>
    public required NetworkFees NetworkFees { get; init; }

    /// <summary>Makes credentials; for the demo and for tests.</summary>
    public IssueCredential Issue { get; }

    /// <summary>The routes, for tests that look at all of them.</summary>
    public IReadOnlyList<Endpoint> Endpoints => ((IEndpointRouteBuilder)_web).DataSources.SelectMany(source => source.Endpoints).ToList();

    public static async Task<App> Start(Settings settings, string connectionString, int shards, Currencies currencies, TimeProvider time,
        RandomBytes random, CancellationToken ct, IReadOnlyList<ChainEntry>? chainEntries = null, MakeChain? makeChain = null,
        IReadOnlyList<ILedgerGuest>? guests = null)
    {
        var prices = settings.PricesFile is { } pricesFile ? PricesFile.Read(pricesFile) : null;
        currencies = prices?.LimitAges(currencies) ?? currencies;
        var db = new Db(connectionString, time);
        var ids = new Ids(time, random);
        var ledger = new LedgerWriters(shards, db, ids, time, guests ?? LedgerGuests.All(time));
        var workers = new List<Worker>();
        // The name finds the dashboard's pages and files also when another program (the tests) has started the server.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(App).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        // The output stream is the command line's; why a start failed it says itself, in a sentence.
        // What goes wrong inside a request is logged by Outer, once; the framework's own diagnostics would cost every request a scope.
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            to => to.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = Input.BodyBytesMax;
        });
        EncryptionKeys.Add(builder.Services, settings.KeysFolder ?? throw new SetupFailure("No folder for encryption keys is named."));
        // It would warn of keys that are not encrypted themselves: they are files of the owner alone, like the signer's.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        // Of a form without its token the page says what to do; each one in the log would be a stranger's to fill it with.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.None);
        builder.Services.AddDashboard(db, ids, settings, random, time);
        // The pages bring the framework's sign-in along, which would cost every request a scope; who calls is for Authenticate and Sessions to say.
        builder.Services.RemoveAll<IAuthenticationSchemeProvider>().RemoveAll<IAuthorizationHandlerProvider>();
        DashboardApi.ServeFiles(builder);
        builder.WebHost.UseUrls($"http://{settings.Host}:{settings.Port}");
        var issue = new IssueCredential(db, ids, random, time);
        builder.Services.AddSingleton(issue);
        // Whom it asks is made further down, of what the server is made of.
        OperatorDesk? desk = null;
        builder.Services.AddSingleton(_ => desk!);
        var web = builder.Build();
        ClientAddress.BelieveProxies(web, settings.Proxies);
        var outer = new Outer(ids, web.Services.GetRequiredService<ILogger<Outer>>());
        DashboardApi.Compress(web);
        var use = new CredentialUse(db, new RequestRate("credential", settings.RequestsPerSecond, TimeSpan.FromSeconds(1), time));
        var sessions = new Sessions(db, use, settings, random, time);
        web.Use(next =>
        {
            sessions.Pipeline = next;
            return web.Services.GetRequiredService<ApiPipeline>().Run = http => outer.Run(http, next);
        });
        web.UseRouting();
        var authenticate = new Authenticate(db, use, time, sessions);
        web.Use(next => http => authenticate.Run(http, next));
        var idempotency = new IdempotencyApi(db, ids, time);
        var reads = new ReadLanes<WalletQuestion, WalletView?>(questions => db.WalletBalances(questions));
        var signers = (chainEntries ?? []).Where(chain => chain.Hot?.Signer is not null)
            .ToDictionary(chain => chain.Id, chain => new SignerClient(chain.Hot!.Signer!, chain.Hot.SecretFile!));
        var realChains = RealChains.Of(chainEntries ?? [], db, currencies, time, makeChain);
        var sources = new AddressSources(realChains.Addresses);
        var addresses = new IssueAddress(db, sources, ids, time);
        web.MapBalances(db, reads, authenticate, currencies, time);
        web.MapHistory(db, currencies, time);
        web.MapWallets(db, ids, time);
        web.MapDepositAddresses(db, addresses, idempotency, currencies);
        var secrets = new EndpointSecrets(web.Services.GetRequiredService<IDataProtectionProvider>(), random);
        var callbacks = new MakeCallbacks(db, secrets, ids, time);
        var targets = new NetworkRules(settings.WebhookNetworks, settings.WebhookPorts, () => new Uri(ListeningUrl(web)).Port);
        var payments = new ViewPayments(db, addresses, time);
        var createPayment = new CreatePayment(db, addresses, callbacks.Run, ids, time);
        new PaymentsApi(db, createPayment, payments, idempotency, targets, currencies).Map(web);
        var streams = new EventStreams(db);
        new EventsApi(db, streams, web.Lifetime.ApplicationStopping).Map(web);
        web.MapTransfers(db, ledger, idempotency, ids, currencies);
        web.MapTransactions(db, currencies);
        web.MapCurrencies(currencies);
        new AlertsApi(db, new ChangeAlerts(db, ids, time), currencies, time).Map(web);
        web.MapUser(db, settings);
        web.MapRates(db, currencies, time);
        new ApiKeysApi(db, issue, time).Map(web);
        var post = new PostOut(targets, time);
        var deliver = new DeliverEvents(db, post, secrets, time, random, web.Services.GetRequiredService<ILogger<DeliverEvents>>());
        var changeEndpoints = new ChangeEndpoints(db, secrets, callbacks, ids, time);
        new WebhooksApi(db, changeEndpoints, targets, time).Map(web);
        new DeliveriesApi(db, changeEndpoints, time).Map(web);
        new OAuthApi(db, issue, new OAuthClientAuthentication(db, settings, time), settings, () => ListeningUrl(web), time).Map(web);
        var chains = new SimulatedChains(db, currencies, time);
        var followChain = new FollowChain(db, ledger, currencies);
        var mempool = new LookIntoMempool(db, time);
        var finish = new FinishWithdrawal(ledger, currencies);
        var places = new PayoutPlaces(chainEntries ?? [], currencies);
        var networkFees = new NetworkFees(time);
        var pay = new PayWithdrawals(db, finish, ids, time, web.Services.GetRequiredService<ILogger<PayWithdrawals>>());
        var follow = new FollowSimulatedChains(db, chains, followChain, mempool, pay);
        var payers = new ReadLanes<PayerQuestion, Payer?>(questions => db.FindPayers(questions));
        var createWithdrawal = new CreateWithdrawal(db, ledger, ids, places, networkFees, callbacks.Run, targets);
        new WithdrawalsApi(db, payers, authenticate, createWithdrawal, finish, places, currencies).Map(web);
        new WithdrawalQuotesApi(db, places, networkFees, currencies, time).Map(web);
        new ApprovalsApi(db, new DecideWithdrawal(db, finish, time), currencies).Map(web);
        new SandboxApi(db, chains, follow, idempotency, addresses, currencies, ids, time).Map(web);
        new DepositsApi(new FindDeposit(db), chains, realChains).Map(web);
        var hotWallets = HotWallets.Of(realChains.All, db);
        var watchHot = new WatchHotWallets(db, hotWallets, web.Services.GetRequiredService<ILogger<WatchHotWallets>>());
        var proofs = new RunProofs(
            ProofSubjects.Of(db, time, realChains.All.Select(chain => chain.Followed), hotWallets),
            settings.ProveHours > 0 ? TimeSpan.FromHours(settings.ProveHours) : null, db, ids, time,
            web.Services.GetRequiredService<ILogger<RunProofs>>(), web.Lifetime.ApplicationStopping);
        desk = OperatorDesks.Of(db, new AllowWithdrawals(db, time), proofs, watchHot, realChains);
        web.MapReference();
        web.MapHealth(db, realChains, watchHot, web.Lifetime.ApplicationStopping);

        var priceHttp = prices is null ? null : new PriceHttp(time);
        web.MapDashboard(use);

        var app = new App(web, db, ledger, [reads, payers], issue, workers)
        {
            Addresses = addresses,
            NetworkFees = networkFees,
            Currencies = currencies,
            _chains = realChains,
            _signers = [.. signers.Values],
            _deliver = deliver,
            _post = post,
            _priceHttp = priceHttp,
        };
        Authenticate.Check(app.Endpoints);
        try
        {
            await IssueAddress.Check(db, sources, ct);
            await CheckSecrets.Run(db, secrets, settings.KeysFolder, time.GetUtcNow(),
                web.Services.GetRequiredService<ILogger<EndpointSecrets>>(), ct);
            await SeedRates.Run(db, currencies, time, ct);
            await web.StartAsync(ct);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        var log = web.Services.GetRequiredService<ILogger<Worker>>();
        workers.Add(new Worker("writing down last uses", CredentialUse.FlushEvery, use.Flush, time, log));
        workers.Add(new Worker("following simulated chains", FollowSimulatedChains.Pause, follow.Run, time, log));
        foreach (var chain in realChains.All)
        {
            var worker = new FollowRealChain(chain, followChain, mempool, time, log, web.Lifetime.ApplicationStopping);
            workers.Add(new Worker($"following {chain.Entry.Id}", chain.Entry.Poll, worker.Run, time, log));
            if (EstimateFees.IsNeeded(chain))
            {
                var estimate = new EstimateFees(chain, db, networkFees, time, log, web.Lifetime.ApplicationStopping);
                workers.Add(new Worker($"estimating fees on {chain.Entry.Id}", EstimateFees.Pause, estimate.Run, time, log));
            }
            if (chain.Entry.Hot is null)
                continue;
            AskSigner? signer = signers.GetValueOrDefault(chain.Entry.Id) is { } client ? client.Sign : null;
            var paying = new PayRealChain(PayingChains.Of(chain, db, signer), pay, log, web.Lifetime.ApplicationStopping);
            workers.Add(new Worker($"paying on {chain.Entry.Id}", chain.Entry.Poll, paying.Run, time, log));
        }

        if (prices is not null)
        {
            var priceSources = prices.Open(priceHttp!);
            var fetch = new FetchRates(prices, priceSources, db, currencies, time, log, web.Lifetime.ApplicationStopping);
            var backFill = new BackFillRates(prices, priceSources, db, currencies, time, log, web.Lifetime.ApplicationStopping);
            workers.Add(new Worker("learning prices", FetchRates.Pause, fetch.Run, time, log));
            workers.Add(new Worker("filling in past prices", BackFillRates.Pause, backFill.Run, time, log));
        }

        deliver.Start();
        var tell = new TellPayments(db, payments, currencies, time, log);
        workers.Add(new Worker("telling of payments", TellPayments.Pause, tell.Run, time, log));
        workers.Add(new Worker("waking streams of events", EventStreams.Pause, streams.Look, time, log));
        workers.Add(new Worker("watching hot wallets", WatchHotWallets.Pause, watchHot.Run, time, log));
        workers.Add(new Worker("proving", RunProofs.Pause, proofs.Run, time, log));
        workers.Add(new Worker("asking for the proofs that are due", Worker.Housekeeping, proofs.AskDue, time, log));
        workers.Add(new Worker("deleting old idempotency keys", Worker.Housekeeping,
            token => idempotency.DeleteOld(settings.IdempotencyDays, token), time, log));
        workers.Add(new Worker("deleting old deliveries", Worker.Housekeeping, new DeleteDeliveries(db, time).Run, time, log));
        workers.Add(new Worker("deleting expired access tokens", Worker.Housekeeping, issue.DeleteExpiredTokens, time, log));
        return app;
    }

    private static string ListeningUrl(WebApplication web) => web.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>()
        .Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Completes when the process is asked to end.</summary>
    public Task WaitForShutdown(CancellationToken ct) => _web.WaitForShutdownAsync(ct);

    public async ValueTask DisposeAsync()
    {
        await _web.StopAsync();
        await _web.DisposeAsync();
        foreach (var worker in _workers)
            await worker.DisposeAsync();
        await (_deliver?.DisposeAsync() ?? ValueTask.CompletedTask);
        _post?.Dispose();
        _priceHttp?.Dispose();
        _chains?.Dispose();
        foreach (var signer in _signers)
            signer.Dispose();
        foreach (var lane in _lanes)
            await lane.DisposeAsync();
        await _ledger.DisposeAsync();
        await Db.DisposeAsync();
    }
}
