using Coffer.Server.Sql;

namespace Coffer.Server.Host;

/// <summary>
/// The outermost layer of every request: gives it an id, and makes sure that whatever happens inside comes out as an answer of
/// the contract. A refusal is expected and not logged; a bug is logged once, with the request id, and answered as 500.
/// </summary>
internal sealed partial class Outer(Ids ids, ILogger<Outer> log)
{
    private const string RequestIdHeader = "Request-Id";

    // Unique, not secret: one random start per process, then counted, which costs no random bytes per request.
    private readonly string _process = $"req_{ids.New():N}"[..24];
    private uint _requests;

    public async Task Run(HttpContext http, RequestDelegate next)
    {
        var id = NextRequestId();
        http.TraceIdentifier = id;
        http.Response.Headers[RequestIdHeader] = id;
        try
        {
            await next(http);
            if (http.Response.StatusCode >= 400 && !http.Response.HasStarted && http.Response.ContentLength is null)
                await Errors.WriteStatus(http, http.Response.StatusCode);
        }
        catch (Refused refused) when (!http.Response.HasStarted)
        {
            await Errors.Write(http, refused.Refusal);
        }
        catch (OAuthRefused refused) when (!http.Response.HasStarted)
        {
            await Errors.Write(http, refused);
        }
        catch (BadHttpRequestException bad) when (!http.Response.HasStarted)
        {
            await Errors.WriteStatus(http, bad.StatusCode);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller went away; there is nobody to answer.
        }
        catch (Exception fault) when (!http.Response.HasStarted)
        {
            var away = SqlFaults.IsConnectionLoss(fault) || SqlFaults.IsOutOfResources(fault);
            if (away)
                DatabaseAway(id, fault.GetType().Name);
            else
                Bug(fault, id, http.Request.Method, http.Request.Path.Value ?? "");
            await Errors.WriteStatus(http, away ? 503 : 500);
        }
    }

    private string NextRequestId() => string.Create(null, stackalloc char[32], $"{_process}{Interlocked.Increment(ref _requests):x8}");

    [LoggerMessage(1, LogLevel.Error, "{RequestId}: {Method} {Path} failed unexpectedly")]
    private partial void Bug(Exception fault, string requestId, string method, string path);

    [LoggerMessage(2, LogLevel.Warning, "{RequestId}: the database does not answer ({Fault})")]
    private partial void DatabaseAway(string requestId, string fault);
}

internal static class RequestIds
{
    /// <summary>The id that is in the header <c>Request-Id</c>, the error body and the log.</summary>
    public static string RequestId(this HttpContext http) => http.TraceIdentifier;
}
