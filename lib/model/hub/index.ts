export { type ResolveOptions, resolveModel } from './resolve';
