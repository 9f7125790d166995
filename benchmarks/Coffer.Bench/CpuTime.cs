using System.Globalization;

namespace Coffer.Bench;

/// <summary>What a process and its children have used of the cores so far: says what something costs also on a machine that is busy with more.</summary>
/// <param name="Microseconds">User and system time.</param>
internal readonly record struct CpuTime(double Microseconds)
{
    private const double TickMicroseconds = 10_000;

    public static CpuTime Of(int process)
    {
        double ticks = 0;
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            try
            {
                // After the name in brackets: state, parent; 11 further on the times of its own, then those of children that ended.
                var text = File.ReadAllText(Path.Combine(folder, "stat"));
                var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                double Field(int at) => double.Parse(fields[at], CultureInfo.InvariantCulture);
                var own = Path.GetFileName(folder) == process.ToString(CultureInfo.InvariantCulture);
                if (own || (int)Field(1) == process)
                    ticks += Field(11) + Field(12) + (own ? Field(13) + Field(14) : 0);
            }
            catch (IOException)
            {
                // It has just ended; then its parent has its time.
            }
        }

        return new CpuTime(ticks * TickMicroseconds);
    }

    public static CpuTime operator +(CpuTime a, CpuTime b) => new(a.Microseconds + b.Microseconds);

    public static CpuTime operator -(CpuTime a, CpuTime b) => new(a.Microseconds - b.Microseconds);

    public static CpuTime operator /(CpuTime a, double by) => new(a.Microseconds / by);
}
