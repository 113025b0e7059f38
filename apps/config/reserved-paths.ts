/** Where the HTTP gateway describes its methods. */
export const openApiPaths = ['/docs', '/openapi.json'] as const;

/** What the HTTP gateway answers itself: no binding may take these paths, whatever its HTTP method. */
export const reservedPaths = ['/healthz', '/readyz', ...openApiPaths] as const;
