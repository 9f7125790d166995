using Coffer.Server.Host;

namespace Coffer.Tests.Rules;

/// <summary>A thread writes its answers into one buffer of its own; nothing of one may come into another.</summary>
public sealed class AnswerTests
{
    [Fact]
    public void What_is_written_inside_of_an_answer_is_one_of_its_own()
    {
        var inner = "";
        var outer = Answer.Text(json =>
        {
            json.WriteStartArray();
            inner = Answer.Text(other => other.WriteStringValue("inner"));
            json.WriteStringValue("outer");
            json.WriteEndArray();
        });
        Assert.Equal(("""["outer"]""", "\"inner\""), (outer, inner));
    }

    [Fact]
    public void An_answer_that_failed_half_way_leaves_nothing_for_the_next()
    {
        Assert.Throws<InvalidOperationException>(() => Answer.Text(json =>
        {
            json.WriteStartObject();
            json.WriteString("half", "of it");
            throw new InvalidOperationException("no more");
        }));
        Assert.Equal("{}", Answer.Text(json =>
        {
            json.WriteStartObject();
            json.WriteEndObject();
        }));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1_000_000)]
    public void Answers_of_any_size_follow_each_other(int length)
    {
        for (var i = 0; i < 3; i++)
        {
            var text = new string((char)('a' + i), length);
            Assert.Equal($"\"{text}\"", Answer.Text(json => json.WriteStringValue(text)));
            Assert.Equal(length + 2, Answer.Bytes(json => json.WriteStringValue(text)).Length);
        }
    }
}
