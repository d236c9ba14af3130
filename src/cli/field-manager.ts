/** Whom a server records as the one who wrote what our commands apply. */
export const fieldManager = 'fairlead'
