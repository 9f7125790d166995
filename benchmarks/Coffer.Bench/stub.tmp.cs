namespace Coffer.Bench;
internal static class ReadServer { public static Task<int> Run(string d) => Task.FromResult(0); }
internal static class ReadBench { public static Task Run(Rig r, ResultTable t, bool q) => Task.CompletedTask; }
internal static class HistoryBench { public static Task Run(Rig r, ResultTable t, bool q) => Task.CompletedTask; }
