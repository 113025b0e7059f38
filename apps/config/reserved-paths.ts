/** Where the HTTP gateway describes its methods. */
export const openApiPaths = ['/docs', '/openapi.json'] as const;

/** Paths that the HTTP gateway answers itself: no binding may use them, whatever its HTTP method. */
export const reservedPaths = ['/healthz', '/readyz', ...openApiPaths] as const;
