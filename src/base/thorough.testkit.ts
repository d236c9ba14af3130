/** Whether the long way is gone: all of what the default run takes samples of. `npm run test:thorough` asks for it. */
export const thorough = process.env['FAIRLEAD_TEST_THOROUGH'] === '1'
