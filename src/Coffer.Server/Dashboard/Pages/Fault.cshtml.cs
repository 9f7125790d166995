using Coffer.Server.Auth;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Coffer.Server.Dashboard.Pages;

/// <summary>What is shown instead of a page that cannot be.</summary>
[For]
internal sealed class FaultModel(Visit visit) : PageModel
{
    public string Title => visit.Fault?.Status switch
    {
        null or 404 => "Not found",
        403 => "Not for your role",
        429 => "Too many requests",
        >= 500 => "Something went wrong here",
        _ => "That did not work",
    };

    public string Message => visit.Fault?.Message ?? "There is nothing here.";

    public string? RequestId => visit.Fault?.RequestId;

    public void OnGet() => Response.StatusCode = visit.Fault?.Status ?? StatusCodes.Status404NotFound;
}
