using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Coffer.Tests.Docs;

[assembly: AssemblyFixture(typeof(Coffer.Tests.OpenApi.Answers))]

namespace Coffer.Tests.OpenApi;

/// <summary>
/// Every answer that a test got through a client of <see cref="Client"/>, with its question and the test's name: at the end of the run ajv,
/// unmodified, holds them all to docs/openapi.json (test/answers/answers.mjs). An answer that the document does not describe fails the run
/// and names the test that saw it.
/// </summary>
public sealed class Answers : IAsyncLifetime
{
    private static readonly TimeSpan InstallTime = TimeSpan.FromMinutes(3), CheckTime = TimeSpan.FromMinutes(5);
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string Lines = Path.Combine(AppContext.BaseDirectory, $"answers-{Environment.ProcessId}.jsonl");
    private static readonly Lock Writing = new();
    private static readonly SemaphoreSlim Installing = new(1);
    private static StreamWriter? writer;
    private static DirectoryInfo? place;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>A client of a Coffer whose answers are written down.</summary>
    internal static HttpClient Client(SocketsHttpHandler? connections = null, TimeSpan? timeout = null)
    {
        var client = new HttpClient(new Listener(connections ?? new SocketsHttpHandler()));
        if (timeout is { } max)
            client.Timeout = max;
        return client;
    }

    /// <summary>Checks a file of answers; what it prints names each that does not fit, and it fails if there is one.</summary>
    internal static async Task<string> Check(string answers)
    {
        await Installing.WaitAsync();
        try
        {
            if (place is null)
            {
                var made = Directory.CreateTempSubdirectory("coffer-answers-");
                foreach (var file in Directory.GetFiles(Checkout.Path("test", "answers")))
                    File.Copy(file, Path.Combine(made.FullName, Path.GetFileName(file)));
                await Programs.Run(made.FullName, "npm", ["ci", "--ignore-scripts"], InstallTime, []);
                place = made;
            }
        }
        finally
        {
            Installing.Release();
        }

        return await Programs.Run(place.FullName, "node", ["answers.mjs", Checkout.Path("docs", "openapi.json"), answers], CheckTime, []);
    }

    public async ValueTask DisposeAsync()
    {
        lock (Writing)
            writer?.Dispose();
        try
        {
            if (writer is not null)
                await Check(Lines);
        }
        finally
        {
            File.Delete(Lines);
            place?.Delete(recursive: true);
        }
    }

    private static void Write(object answer)
    {
        var line = JsonSerializer.Serialize(answer, Relaxed);
        lock (Writing)
        {
            writer ??= new StreamWriter(Lines);
            // A server of an earlier test may still be answering when the last one is done.
            if (writer.BaseStream is not null)
                writer.WriteLine(line);
        }
    }

    private sealed class Listener(HttpMessageHandler connections) : DelegatingHandler(connections)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken ct)
        {
            var response = await base.SendAsync(request, ct);
            var type = response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var types) ? types.ToString() : "";
            // Others are not read: a stream of events has no end.
            var isJson = type.Contains("json", StringComparison.Ordinal);
            if (isJson)
                await response.Content.LoadIntoBufferAsync(ct);
            Write(new
            {
                test = TestContext.Current.Test?.TestDisplayName ?? "",
                method = request.Method.Method,
                path = request.RequestUri!.PathAndQuery,
                sent = request.Content is ByteArrayContent sent && sent.Headers.ContentType?.MediaType == "application/json"
                    ? await sent.ReadAsStringAsync(ct) : null,
                status = (int)response.StatusCode,
                type,
                headers = response.Headers.NonValidated.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString()),
                body = isJson ? Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(ct)) : null,
            });
            return response;
        }
    }
}
