using System.Text.Json.Nodes;
using Xunit.Sdk;

namespace Coffer.Tests.OpenApi;

/// <summary>The check of all answers can fail: each way of not being as described is named.</summary>
public sealed class AnswersTests
{
    private const string Error = """{"error":{"code":"not_found","message":"No.","details":{},"request_id":"req_01"}}""";

    [Fact]
    public async Task An_answer_that_is_described_is_not_named_and_each_other_one_is()
    {
        Assert.Equal("4 answers, 0 faults", (await Check(
            [Answer(), Answer(path: "/health/live/"), Answer(path: "/nowhere", status: 404, body: Error), Wallet()])).Trim());

        // Each at a path of its own, for one line tells of all that are alike.
        var told = await Assert.ThrowsAnyAsync<XunitException>(() => Check([
            Answer(path: "/health/LIVE", body: """{"status":"dead"}"""), Answer(path: "/Health/live", body: """{"status":"live","more":1}"""),
            Answer(path: "/HEALTH/live", body: "{}"), Answer(path: "/heALTH/live", status: 204), Answer(path: "/health/liVE", type: "text/plain"),
            Answer(path: "/HEalth/live", id: "none"), Answer(path: "/HEALth/live", body: ""), Answer(path: "/nowhere"),
            Answer(path: "/nowhere", status: 404, body: Error.Replace("_found", "_here", StringComparison.Ordinal)),
            Answer(path: "/elsewhere", status: 404, body: Error.Replace("req_01", "req_02", StringComparison.Ordinal)),
            Answer(path: "/o/nowhere", status: 404, body: Error), Wallet(sent: """{"title":"x"}"""), Wallet(path: "/Wallets?color=1"),
            Wallet(path: "/WALLETS", remaining: "few"), Wallet(path: "/wallets/", remaining: null),
        ]));
        Assert.Contains("15 answers, 15 faults", told.Message);
        foreach (var words in (string[])
            ["/health/LIVE 200: answer/status must be equal", "must NOT have additional properties", "must have required property 'status'",
            "status 204 is not described",
            "\"text/plain\" is not described", "header Request-Id: answer must match", "cannot be read", "/nowhere 200: is not described",
            "must be equal to one of the allowed values", "names another request",
            "/o/nowhere 404: answer must have required property 'error_description'",
            "what was sent: ", "parameter color is not described", "header RateLimit: answer must match", "has no header RateLimit"])
            Assert.Contains(words, told.Message);
    }

    private static async Task<string> Check(JsonObject[] answers)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(file, answers.Select(one => one.ToJsonString()), TestContext.Current.CancellationToken);
            return await Answers.Check(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static JsonObject Answer(string path = "/health/live", int status = 200, string body = """{"status":"live"}""",
        string type = "application/json; charset=utf-8", string id = "req_01") => new()
        {
            ["test"] = "a test",
            ["method"] = "GET",
            ["path"] = path,
            ["sent"] = null,
            ["status"] = status,
            ["type"] = type,
            ["headers"] = new JsonObject { ["request-id"] = id },
            ["body"] = body,
        };

    private static JsonObject Wallet(string path = "/wallets", string sent = """{"name":"x"}""", string? remaining = "\"credential\";r=1;t=1")
    {
        var answer = Answer(path, 201,
            """{"result":{"id":"550e8400-e29b-41d4-a716-446655440000","name":"x","created_at":"2026-01-15T10:00:00Z"}}""");
        (answer["method"], answer["sent"]) = ("POST", sent);
        answer["headers"]!["ratelimit-policy"] = "\"credential\";q=2;w=1";
        if (remaining is not null)
            answer["headers"]!["ratelimit"] = remaining;
        return answer;
    }
}
