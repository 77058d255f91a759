// The library's stages in the order data flows through them; a stage imports only from the ones above it.
export * from './corpus';
export * from './questions';
export * from './dataset';
export * from './model';
export * from './train';
export * from './evaluate';
export * from './notebook';
