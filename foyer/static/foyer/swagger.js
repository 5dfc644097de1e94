// The page at /schema/docs. Requests go with the cookie of this site, and so need the CSRF token too.

const token = document.querySelector('meta[name="csrf-token"]')?.content;
const dark = matchMedia("(prefers-color-scheme: dark)");

function followScheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

followScheme();
dark.addEventListener("change", followScheme);

window.SwaggerUIBundle({
  url: "/schema",
  dom_id: "#swagger",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  requestInterceptor(request) {
    if (token && new URL(request.url, location.href).origin === location.origin) {
      request.headers["X-CSRFToken"] = token;
    }
    if (request.headers.accept === "text/event-stream") {
      request.headers.accept = "application/json"; // a stream has no end that this page could wait for
    }
    return request;
  },
});
