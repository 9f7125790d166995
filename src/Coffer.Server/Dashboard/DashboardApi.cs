using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Sql;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.ApplicationModels;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace Coffer.Server.Dashboard;

/// <summary>
/// The pages for people: Razor Pages that ask the API in the name of their session (<see cref="AskApi"/>), and the files that they load.
/// Who may see a page says its <see cref="PageAccess"/>; <see cref="Sessions"/> sees to it.
/// </summary>
internal static partial class DashboardApi
{
    private const string PagesFolder = "/Dashboard/Pages";
    private const int ReportMax = 500;

    /// <summary>How many reports of stopped scripts are written down, whoever sends them: anybody may, and a log is not theirs to fill.</summary>
    private const int ReportsPerMinute = 20;

    public static void AddDashboard(this IServiceCollection services, Db db, Ids ids, Settings settings, RandomBytes random, TimeProvider time)
    {
        services.AddRazorPages(pages =>
        {
            pages.RootDirectory = PagesFolder;
            pages.Conventions.AddFolderApplicationModelConvention("/", Guard);
            pages.Conventions.ConfigureFilter(new HandledPages());
        });
        services.AddResponseCompression(pages => pages.EnableForHttps = true);
        services.AddAntiforgery(forms =>
        {
            forms.Cookie = new HostCookie { Name = "__Host-coffer-form", HttpOnly = true, SameSite = SameSiteMode.Strict, IsEssential = true };
            forms.FormFieldName = "form_token";
            // The policy's frame-ancestors says more.
            forms.SuppressXFrameOptionsHeader = true;
        });
        services.AddSingleton<IAntiforgeryAdditionalDataProvider, SessionOfForm>();
        services.AddSingleton(db).AddSingleton(ids).AddSingleton(time).AddSingleton<ApiPipeline>();
        services.AddSingleton(of => new SignIn(db, ids, settings, random, of.GetRequiredService<IDataProtectionProvider>(), time,
            of.GetRequiredService<ILogger<SignIn>>()));
        services.AddScoped<Visit>().AddScoped<AskApi>();
    }

    /// <summary>The pages' files as they were built; the helps for changing them while the server runs are off, they cost routes and caching.</summary>
    public static void ServeFiles(WebApplicationBuilder builder)
    {
        builder.WebHost.UseStaticWebAssets();
        builder.Configuration["ReloadStaticAssetsAtRuntime"] = "false";
        builder.Configuration["DisableStaticAssetNotFoundRuntimeFallback"] = "true";
        builder.Configuration["EnableStaticAssetsDevelopmentCaching"] = "true";
    }

    /// <summary>
    /// Pages are compressed, the API's answers are not. What is secret in a page is new in each (its forms' tokens) or shown once, so its
    /// length tells nothing; the session is in no page. Outside of everything else, so that a page shown for a fault is compressed once.
    /// </summary>
    public static void Compress(WebApplication web) => web.UseWhen(
        http => http.Request.Path.Value is "/" or Sessions.SignInPath || http.Request.Path.StartsWithSegments("/dashboard"),
        pages => pages.UseResponseCompression());

    public static void MapDashboard(this WebApplication web, CredentialUse use)
    {
        var list = Path.Combine(AppContext.BaseDirectory, $"{typeof(App).Assembly.GetName().Name}.staticwebassets.endpoints.json");
        var files = web.MapStaticAssets(list);
        files.Public();
        files.Add(route =>
        {
            var send = route.RequestDelegate!;
            route.RequestDelegate = http =>
            {
                http.Response.Headers.XContentTypeOptions = "nosniff";
                return send(http);
            };
        });
        web.MapRazorPages().WithStaticAssets(list).Public();
        var log = web.Services.GetRequiredService<ILogger<PageAccess>>();
        var time = web.Services.GetRequiredService<TimeProvider>();
        new LiveApi(web.Services.GetRequiredService<Db>(), use, time, web.Lifetime.ApplicationStopping).Map(web);
        var reports = new RequestCounters(new RequestRate("report", ReportsPerMinute, TimeSpan.FromMinutes(1), time));
        web.MapPost(Sessions.ReportPath, http => Report(http, reports, log)).Public();
    }

    /// <summary>A page is for everybody who may see the account, unless it says otherwise.</summary>
    private static void Guard(PageApplicationModel page)
    {
        if (!page.HandlerType.IsDefined(typeof(ForAttribute), inherit: false))
            throw new InvalidOperationException($"{page.ViewEnginePath} does not say who may see it.");
        var least = ((ForAttribute)page.HandlerType.GetCustomAttributes(typeof(ForAttribute), inherit: false)[0]).Least;
        page.EndpointMetadata.Add(new PageAccess(least));
        // What the path names is read from the path: a field of the form must not stand in its place.
        foreach (var parameter in page.HandlerMethods.SelectMany(handler => handler.Parameters).OfType<PageParameterModel>())
        {
            if (InTemplate(page.RouteTemplate, parameter.ParameterName))
                parameter.BindingInfo = new BindingInfo { BindingSource = BindingSource.Path };
        }
    }

    private static bool InTemplate(string? template, string name) => template is not null
        && (template.Contains($"{{{name}}}", StringComparison.Ordinal) || template.Contains($"{{{name}:", StringComparison.Ordinal));

    /// <summary>What a browser's policy stopped: a fault of a page, or an attack on it. The text is a stranger's, so little of it is kept.</summary>
    private static async Task Report(HttpContext http, RequestCounters reports, ILogger log)
    {
        var body = System.Text.Encoding.UTF8.GetString((await Input.ReadBytes(http)).Span);
        if (reports.Take("", out _) == 0)
            Stopped(log, new string([.. body.Take(ReportMax).Select(c => char.IsControl(c) ? ' ' : c)]));
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    [LoggerMessage(40, LogLevel.Warning, "A browser reports what the content security policy stopped: {Report}")]
    private static partial void Stopped(ILogger log, string report);

    /// <summary>Always Secure: browsers take that from loopback without TLS too, and need it for the prefix of the name.</summary>
    private sealed class HostCookie : CookieBuilder
    {
        public override CookieOptions Build(HttpContext context, DateTimeOffset expiresFrom)
        {
            var options = base.Build(context, expiresFrom);
            (options.Secure, options.Path, options.Domain) = (true, "/", null);
            return options;
        }
    }
}

/// <summary>A form belongs to the session that it was made for: one that another user has left open does nothing in the next one's name.</summary>
internal sealed class SessionOfForm : IAntiforgeryAdditionalDataProvider
{
    public string GetAdditionalData(HttpContext context) => context.Features.Get<Session>()?.Credential.ToString() ?? "";

    public bool ValidateAdditionalData(HttpContext context, string additionalData) => additionalData == GetAdditionalData(context);
}

/// <summary>A page that is sent a form that it has none of is not there: it would be shown with nothing loaded.</summary>
internal sealed class HandledPages : IPageFilter
{
    public void OnPageHandlerSelected(PageHandlerSelectedContext context)
    {
    }

    public void OnPageHandlerExecuting(PageHandlerExecutingContext context)
    {
        if (context.HandlerMethod is null)
            context.Result = new NotFoundResult();
    }

    public void OnPageHandlerExecuted(PageHandlerExecutedContext context)
    {
    }
}

/// <summary>Says the least role that may see a page.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ForAttribute : Attribute
{
    /// <summary>Whoever comes, signed in or not.</summary>
    public ForAttribute()
    {
    }

    public ForAttribute(Role least) => Least = least;

    public Role? Least { get; }
}
