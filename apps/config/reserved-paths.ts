/** What the HTTP gateway answers itself: no binding may take these paths, whatever its HTTP method. */
export const reservedPaths = ['/healthz', '/readyz', '/openapi.json', '/docs'] as const;
